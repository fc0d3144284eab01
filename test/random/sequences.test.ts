import { it } from 'vitest';
import type { JsonObject } from '../../src/model/json.js';
import { drawConfiguration } from './configurations.js';
import { drawn } from './draw.js';
import { optInKinds } from '../../src/model/kinds.js';
import { Keys } from './expectations.js';
import { pathOf } from './stored.js';
import { holdsFor, patience } from './runs.js';
import { syncAndSettle } from './settled.js';
import type { Subject } from './subject.js';
import { describeEach } from './targets.js';
import { worldOf } from './world.js';

describeEach(({ world, fresh }) => {
  it(
    'goes from one configuration to any other and back',
    async () => {
      const pairs = drawn((draw) => [drawConfiguration(draw, world), drawConfiguration(draw, world)] as const);
      await holdsFor(3, pairs, async ([a, b]) => {
        const subject = fresh();
        const keys = new Keys();
        const taken = new Set([a, b].flatMap((document) => upstreamIdsOf(subject, document)));
        const expected = { beside: new Set<string>(), mayLackOwnUpstream: (id: string) => taken.has(id) };
        for (const document of [a, b, a, emptied]) await syncAndSettle(subject, document, keys, expected);
      });
    },
    patience,
  );

  it(
    'keeps what an earlier file mentioned and a later one does not',
    async () => {
      const common = { refersToCertificates: false };
      const silent = worldOf(world.version, world.backend, { ...common, mentions: false });
      const telling = worldOf(world.version, world.backend, common);
      const files = drawn((draw) =>
        Array.from({ length: 4 }, () => drawConfiguration(draw, draw.chance(50) ? telling : silent)),
      );
      await holdsFor(2, files, async (documents) => {
        const subject = fresh();
        const keys = new Keys();
        let carried = new Set<string>();
        const taken = new Set<string>();
        for (const document of documents) {
          const isMentioned = document['upstreams'] !== undefined;
          for (const id of upstreamIdsOf(subject, document)) taken.add(id);
          await syncAndSettle(subject, document, keys, {
            beside: isMentioned ? new Set() : carried,
            mayLackOwnUpstream: (id) => taken.has(id),
          });
          if (isMentioned) carried = optInPathsOf(subject, document);
        }
      });
    },
    patience,
  );
});

const emptied: JsonObject = { upstreams: [], plugin_configs: [], consumer_groups: [] };

/** The ids of the shared and named upstreams of a file: a service of such an id holds its own inside. */
function upstreamIdsOf(subject: Subject, document: JsonObject): readonly string[] {
  const resources = [...subject.configuration(document).state.resources.values()];
  return resources.filter(({ kind }) => kind === 'upstream').map(({ id }) => id);
}

/** Where a file's shared upstreams, plugin configs and consumer groups are stored. */
function optInPathsOf(subject: Subject, document: JsonObject): Set<string> {
  const resources = [...subject.configuration(document).state.resources.values()];
  return new Set(resources.filter(({ kind, parent }) => parent === undefined && optInKinds.includes(kind)).map(pathOf));
}
