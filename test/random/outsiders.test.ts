import { expect, it } from 'vitest';
import { isJsonObject, type JsonObject } from '../../src/model/json.js';
import { certificates } from '../cases/documents.js';
import { drawConfiguration } from './configurations.js';
import { drawn } from './draw.js';
import { Keys } from './expectations.js';
import { expectUntouched } from './neighbours.js';
import { drawOutsiders, plantOutsiders } from './outsiders.js';
import { holdsFor, patience } from './runs.js';
import { expectSettled, syncAndSettle } from './settled.js';
import { pathOf, usedBy, type RawObjects } from './stored.js';
import { describeEach } from './targets.js';
import { worldOf } from './world.js';

const keyPairs = Object.values(certificates).map((pair) => ({ ...pair }));
const none: JsonObject = { upstreams: [], plugin_configs: [], consumer_groups: [] };
const nothingStored: RawObjects = new Map();

describeEach(({ world, fresh }) => {
  it(
    'shows what it takes over, never touches what it does not, and settles whatever strangers use',
    async () => {
      const cases = drawn((draw) => {
        const selects = draw.chance(40);
        const own = worldOf(world.version, world.backend, { mentions: draw.chance(75) });
        return {
          selects,
          own,
          documents: [drawConfiguration(draw, own), drawConfiguration(draw, own)] as const,
          outsiders: drawOutsiders(draw, own, selects),
        };
      });
      await holdsFor(4, cases, async ({ selects, own, documents: [a, b], outsiders }) => {
        const subject = fresh();
        const keys = new Keys();
        keys.collect(keyPairs);
        const options = selects ? { labels: { owner: 'me' } } : {};
        await syncAndSettle(subject, a, keys, { beside: new Set(), mayLackOwnUpstream: () => true }, options);
        const { planted, orphans } = await plantOutsiders(subject, outsiders, own);
        expect(await subject.diff(a, options), 'what strangers have is no difference').toEqual([]);

        let strangers: readonly string[] = planted;
        for (const document of [b, own.mentions ? none : {}, a, b]) {
          const [before = nothingStored] = await subject.raw();
          const wanted = subject.configuration(document, options).state;
          const places = new Set([...wanted.resources.values()].map(pathOf));
          keys.collect(document);
          const { failed, created } = await subject.sync(document, options);
          expect(failed, 'what failed').toEqual([]);
          const overwritten = created.filter((path) => before.has(path) && !isOwnUpstream(before, path));
          expect(overwritten, 'what is shown as new and was there').toEqual([]);

          strangers = strangers.filter((path) => {
            const consumer = /^(consumers\/[^/]+)\/credentials\//.exec(path)?.[1];
            const goesWithConsumer = consumer !== undefined && !places.has(consumer) && !planted.includes(consumer);
            return !places.has(path) && !goesWithConsumer;
          });
          const adopted = strangers.filter((path) => places.has(`services/${orphans.get(path) ?? ''}`));
          strangers = strangers.filter((path) => !adopted.includes(path));
          const left = new Map(strangers.map((path) => [path, before.get(path) ?? {}]));
          for (const raw of await subject.raw()) {
            expectUntouched(raw, left);
            expect(adopted.filter((path) => raw.has(path))).toEqual([]);
            const used = usedBy(raw, [...strangers, ...keptUsers(raw, places)]);
            await expectSettled(
              subject,
              document,
              keys,
              {
                beside: new Set([...strangers, ...(own.mentions ? [] : optInPaths(before))]),
                mayLackOwnUpstream: () => true,
                orphans: new Set(strangers.filter((path) => orphans.has(path))),
                mayBeMarked: true,
                mayRemain: (path) => used.has(path),
                mayKeep: ['script'],
              },
              options,
            );
          }
        }
      });
    },
    patience,
  );
});

/** The upstream of a service, which goes inside where another is to have its place. */
function isOwnUpstream(raw: RawObjects, path: string): boolean {
  const [collection, id = ''] = path.split('/');
  return collection === 'upstreams' && raw.get(`services/${id}`)?.['upstream_id'] === id;
}

/** Routes that are taken over keep an upstream inside, and what that uses. */
function keptUsers(raw: RawObjects, places: ReadonlySet<string>): readonly string[] {
  return [...places].filter((path) => isJsonObject(raw.get(path)?.['upstream'] ?? null));
}

/** Where what a file does not mention stands. */
function optInPaths(raw: RawObjects): readonly string[] {
  return [...raw.keys()].filter((path) => /^(upstreams|plugin_configs|consumer_groups)\//.test(path));
}
