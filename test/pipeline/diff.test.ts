import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Configuration } from '../../src/pipeline/config/resolve.js';
import { diff } from '../../src/pipeline/diff/diff.js';
import { diffDocument } from '../../src/pipeline/report/diff-file.js';
import type { JsonObject } from '../../src/model/json.js';
import type { State } from '../../src/model/resource.js';
import { anyConfiguration } from '../support/arbitrary.js';
import { configured } from '../support/emulated.js';
import { applyChanges, applyFields, deepFreeze } from '../support/states.js';

/** Whatever the schemas allow, as a state; undefined where the rules across fields do not. */
function stateOf(document: JsonObject): State | undefined {
  let configuration: Configuration;
  try {
    configuration = configured(document);
  } catch {
    return undefined;
  }
  return deepFreeze(configuration.state);
}

const anyTwo = fc
  .tuple(anyConfiguration, anyConfiguration, fc.boolean())
  .map(([left, right, related]): readonly [JsonObject, JsonObject] => [
    left,
    related ? { ...left, ...halfOf(right) } : right,
  ])
  .map(([left, right]) => [stateOf(left), stateOf(right)] as const);

function halfOf(document: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(document).filter((_, index) => index % 2 === 0));
}

const contentOf = (state: State): unknown =>
  [...state.resources.values()]
    .map(({ key, parent, body }) => ({ key, parent, body }))
    .sort((a, b) => (a.key < b.key ? -1 : 1));

it('turns any configuration into any other, and finds nothing between a configuration and itself', () => {
  let pairs = 0;
  fc.assert(
    fc.property(anyTwo, ([current, desired]) => {
      if (current === undefined || desired === undefined) return;
      pairs += 1;
      const changes = diff({ desired, current, unmanaged: new Map() });
      expect(contentOf(applyChanges(current, changes))).toEqual(contentOf(desired));
      for (const change of changes) {
        if (change.type !== 'update') continue;
        const fields = change.fields.filter(({ path }) => path[0] !== 'service_id');
        expect(applyFields(change.current.body, fields)).toEqual(change.desired.body);
      }
      expect(diff({ desired: current, current: structuredClone(current), unmanaged: new Map() })).toEqual([]);
      const entries = [...diffDocument({ changes, desired, current })];
      expect(entries).toHaveLength(changes.length);
    }),
    { numRuns: 60 },
  );
  expect(pairs).toBeGreaterThan(10);
});
