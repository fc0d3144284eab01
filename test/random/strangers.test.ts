import { expect, it } from 'vitest';
import type { JsonObject } from '../../src/model/json.js';
import { certificates } from '../cases/documents.js';
import { drawConfiguration } from './configurations.js';
import { drawn } from './draw.js';
import { dangling, Keys } from './expectations.js';
import { holdsFor, patience } from './runs.js';
import { expectSettled } from './settled.js';
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
        const strays = [...(before[0] ?? new Map<string, JsonObject>())].filter(
          ([path, value]) => outsideServices.has(path) && value['service_id'] === undefined,
        );
        const areUsing = strays.some(([, value]) => /"(upstream|plugin_config)_id":/.test(JSON.stringify(value)));
        const expected = {
          beside: new Set(strays.map(([path]) => path)),
          mayLackOwnUpstream: () => true,
          comparesValues: false,
          mayKeep: ['enable_websocket'],
          // A credential of no plugin is nothing that a configuration can hold.
          mayRemain: (path: string, value: JsonObject) =>
            /credentials/.test(path) && JSON.stringify(value['plugins']) === '{}',
        };
        // What a route outside the services uses cannot go.
        keys.collect(next);
        const { failed } = await subject.sync(next);
        expect(failed.filter((line) => !/^delete (upstream|plugin_config) .* still us/.test(line))).toEqual([]);
        if (areUsing) for (const raw of await subject.raw()) expect(dangling(raw)).toEqual([]);
        else await expectSettled(subject, next, keys, expected);
      });
    },
    patience,
  );
});
