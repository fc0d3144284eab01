import { it } from 'vitest';
import type { JsonObject } from '../../src/model/json.js';
import { drawConfiguration } from './configurations.js';
import { drawn } from './draw.js';
import { Keys } from './expectations.js';
import { holdsFor, patience } from './runs.js';
import { syncAndSettle } from './settled.js';
import { describeEach } from './targets.js';

describeEach(({ world, fresh }) => {
  it(
    'goes from one configuration to any other and back',
    async () => {
      const pairs = drawn((draw) => [drawConfiguration(draw, world), drawConfiguration(draw, world)] as const);
      await holdsFor(4, pairs, async ([a, b]) => {
        const subject = fresh();
        const keys = new Keys();
        const taken = new Set(
          [a, b].flatMap((document) =>
            [...subject.configuration(document).state.resources.values()]
              .filter(({ kind }) => kind === 'upstream')
              .map(({ id }) => id),
          ),
        );
        const expected = { beside: new Set<string>(), mayLackOwnUpstream: (id: string) => taken.has(id) };
        for (const document of [a, b, a, emptied]) await syncAndSettle(subject, document, keys, expected);
      });
    },
    patience,
  );
});

const emptied: JsonObject = { upstreams: [], plugin_configs: [], consumer_groups: [] };
