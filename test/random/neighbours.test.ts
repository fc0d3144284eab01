import { it } from 'vitest';
import { certificates } from '../cases/documents.js';
import { drawConfiguration } from './configurations.js';
import { drawn } from './draw.js';
import { Keys } from './expectations.js';
import { expectUntouched, ofOthers, outside, plantAll } from './neighbours.js';
import { holdsFor, patience } from './runs.js';
import { syncAndSettle } from './settled.js';
import { describeEach } from './targets.js';
import { worldOf } from './world.js';

const keyPairs = Object.values(certificates).map((pair) => ({ ...pair }));
const standing = ['alien', '7', '1'];

describeEach(({ world, fresh }) => {
  it(
    'leaves alone what a configuration does not manage',
    async () => {
      const unaware = worldOf(world.version, world.backend, { mentions: false, standing });
      const pairs = drawn(
        (draw) => [drawConfiguration(draw, unaware), drawConfiguration(draw, unaware), draw.chance(50)] as const,
      );
      await holdsFor(3, pairs, async ([a, b, managedBy]) => {
        const subject = fresh();
        const keys = new Keys();
        const before = await plantAll(subject, outside);
        const expected = {
          beside: new Set(before.keys()),
          mayLackOwnUpstream: (id: string) => before.has(`upstreams/${id}`),
        };
        for (const document of [a, b, {}, a]) {
          await syncAndSettle(subject, document, keys, expected, { managedBy });
          for (const raw of await subject.raw()) expectUntouched(raw, before);
        }
      });
    },
    patience,
  );

  it(
    'leaves alone what a label selector leaves out',
    async () => {
      const pairs = drawn((draw) => {
        const labelled = worldOf(world.version, world.backend, { mentions: draw.chance(50), standing: ['alien'] });
        return [drawConfiguration(draw, labelled), drawConfiguration(draw, labelled), labelled.mentions] as const;
      });
      await holdsFor(3, pairs, async ([a, b, mentions]) => {
        const subject = fresh();
        const keys = new Keys();
        keys.collect(keyPairs);
        const { 'upstreams/7': _seven, 'upstreams/1': _one, 'routes/alien-split': _split, ...rest } = outside;
        const before = await plantAll(subject, { ...rest, ...ofOthers(world) });
        const taken = new Set(
          [a, b].flatMap((document) =>
            [...subject.configuration(document).state.resources.values()]
              .filter(({ kind }) => kind === 'upstream')
              .map(({ id }) => id),
          ),
        );
        const expected = { beside: new Set(before.keys()), mayLackOwnUpstream: (id: string) => taken.has(id) };
        const options = { labels: { owner: 'me' } };
        const none = mentions ? { upstreams: [], plugin_configs: [], consumer_groups: [] } : {};
        for (const document of [a, b, none, a]) {
          await syncAndSettle(subject, document, keys, expected, options);
          for (const raw of await subject.raw()) expectUntouched(raw, before);
        }
      });
    },
    patience,
  );

  it(
    'leaves alone the kinds that are excluded',
    async () => {
      const unaware = worldOf(world.version, world.backend, { mentions: false, refersToCertificates: false });
      const cases = drawn((draw) => ({
        a: drawConfiguration(draw, unaware),
        b: drawConfiguration(draw, unaware),
        exclude: draw.some(['global_rule', 'plugin_metadata', 'consumer', 'service'] as const, 50),
      }));
      await holdsFor(3, cases, async ({ a, b, exclude }) => {
        const subject = fresh();
        const keys = new Keys();
        await syncAndSettle(subject, a, keys, { beside: new Set() });
        const sections = {
          global_rule: 'global_rules',
          plugin_metadata: 'plugin_metadata',
          consumer: 'consumers',
          service: 'services',
        };
        const kept = exclude.map((word) => sections[word]);
        const mixed = Object.fromEntries(
          Object.entries(b).map(([key, value]) => [key, kept.includes(key) ? (a[key] ?? value) : value]),
        );
        keys.collect(mixed);
        const { failed } = await subject.sync(b, { exclude });
        if (failed.length > 0) throw new Error(failed.join('\n'));
        await syncAndSettle(subject, mixed, keys, { beside: new Set() });
      });
    },
    patience,
  );
});
