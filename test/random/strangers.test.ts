import { expect, it } from 'vitest';
import type { JsonObject } from '../../src/model/json.js';
import { certificates } from '../cases/documents.js';
import { drawConfiguration } from './configurations.js';
import { drawn } from './draw.js';
import { Keys } from './expectations.js';
import { expectUntouched } from './neighbours.js';
import { holdsFor, patience } from './runs.js';
import { expectSettled } from './settled.js';
import { pathOf, usedBy } from './stored.js';
import { drawPlanted, plantWhatIsTaken } from './strangers.js';
import { describeEach } from './targets.js';

const keyPairs = Object.values(certificates).map((pair) => ({ ...pair }));
const outsideServices = new Set(['1', '2', '3'].map((id) => `routes/${id}`));

describeEach(({ world, fresh }) => {
  it(
    'dumps what others made, finds it unchanged, and makes anything of it',
    async () => {
      const cases = drawn((draw) => ({
        planted: drawPlanted(draw, world),
        next: drawConfiguration(draw, world),
      }));
      await holdsFor(5, cases, async ({ planted, next }) => {
        const subject = fresh();
        const keys = new Keys();
        keys.collect(keyPairs);
        await plantWhatIsTaken(subject, planted);
        const before = await subject.raw();
        const dumped = keys.fill(await subject.dump()) as JsonObject;
        expect(await subject.diff(dumped), 'a diff of the dump').toEqual([]);
        expect((await subject.sync(dumped)).planned).toBe(0);
        expect(await subject.raw()).toEqual(before);
        const wanted = new Set([...subject.configuration(next).state.resources.values()].map(pathOf));
        const strays = new Map(
          [...(before[0] ?? new Map<string, JsonObject>())].filter(
            ([path, value]) => outsideServices.has(path) && value['service_id'] === undefined && !wanted.has(path),
          ),
        );
        const expected = {
          beside: new Set(strays.keys()),
          mayLackOwnUpstream: () => true,
          comparesValues: false,
          mayKeep: ['enable_websocket'],
          mayBeMarked: true,
          // A credential of no plugin is nothing that a configuration can hold.
          mayRemain: (path: string, value: JsonObject) =>
            /credentials/.test(path) && JSON.stringify(value['plugins']) === '{}',
        };
        keys.collect(next);
        expect((await subject.sync(next)).failed).toEqual([]);
        for (const raw of await subject.raw()) {
          expectUntouched(raw, strays);
          const used = usedBy(raw, strays.keys());
          await expectSettled(subject, next, keys, {
            ...expected,
            mayRemain: (path, value) => used.has(path) || expected.mayRemain(path, value),
          });
        }
      });
    },
    patience,
  );
});
