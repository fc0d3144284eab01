import fc from 'fast-check';
import type { Change, FieldChange } from '../../src/model/change.js';
import { isJsonObject, type Json, type JsonObject, type JsonPath } from '../../src/model/json.js';
import { kinds, type Kind } from '../../src/model/kinds.js';
import { resourceKey, type Resource, type State } from '../../src/model/resource.js';

/** Any JSON value; keys include those that trip naive code. */
export const anyJson: fc.Arbitrary<Json> = fc.letrec<{ value: Json; object: JsonObject }>((tie) => ({
  object: fc.dictionary(
    fc.oneof(fc.constantFrom('a', 'b', 'c', 'constructor', 'toString'), fc.string()),
    tie('value'),
    {
      maxKeys: 4,
    },
  ),
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom<Json>(null, true, false, 0, 1, '', 'x'),
    fc.integer(),
    fc.string(),
    fc.array(tie('value'), { maxLength: 4 }),
    tie('object'),
  ),
})).value;

/** Any JSON object. */
export const anyBody: fc.Arbitrary<JsonObject> = anyJson.map((value) => (isJsonObject(value) ? value : { value }));

const nestedIn: Readonly<Partial<Record<Kind, Kind>>> = {
  route: 'service',
  stream_route: 'service',
  consumer_credential: 'consumer',
};

const anyResource: fc.Arbitrary<Resource> = fc
  .record({
    kind: fc.constantFrom(...kinds),
    id: fc.constantFrom('1', '2', '3', '4'),
    parentId: fc.constantFrom('1', '2', '3'),
    nested: fc.boolean(),
    body: anyBody,
  })
  .map(({ kind, id, parentId, nested, body }): Resource => {
    const parentKind = nestedIn[kind] ?? (kind === 'upstream' && nested ? 'service' : undefined);
    const own = { kind, id, key: resourceKey(kind, id, parentId), name: `${kind} ${id}`, body };
    return parentKind === undefined ? own : { ...own, parent: resourceKey(parentKind, parentId) };
  });

/** States of any content: few ids, so that two of them often have the same resource. */
export const anyState: fc.Arbitrary<State> = fc
  .array(anyResource, { maxLength: 12 })
  .map((resources) => ({ resources: new Map(resources.map((resource) => [resource.key, resource])) }));

/** A state, and one made of it by changing, dropping and adding: what two states of one gateway look like. */
export const anyPair: fc.Arbitrary<readonly [State, State]> = fc
  .tuple(anyState, anyState, fc.array(fc.constantFrom('keep', 'drop', 'take'), { minLength: 12, maxLength: 12 }))
  .map(([left, right, choices]) => {
    const kept = [...left.resources].filter((_, index) => choices[index] !== 'drop');
    const taken = [...right.resources].filter((_, index) => choices[index] === 'take');
    return [left, { resources: new Map([...kept, ...taken]) }] as const;
  });

/** Freezes a value and all below it, maps included: whoever writes to it throws. */
export function deepFreeze<T>(value: T): T {
  if (value instanceof Map) {
    for (const [key, entry] of value) {
      deepFreeze(key);
      deepFreeze(entry);
    }
    const refuse = (): never => {
      throw new TypeError('a frozen map was written to');
    };
    Object.defineProperties(value, { set: { value: refuse }, delete: { value: refuse }, clear: { value: refuse } });
  } else if (typeof value === 'object' && value !== null) {
    for (const entry of Object.values(value)) deepFreeze(entry);
  }
  return Object.freeze(value);
}

/** What a gateway would hold after changes: creations and updates put what is desired, deletions remove. */
export function applyChanges(state: State, changes: readonly Change[]): State {
  const resources = new Map(state.resources);
  for (const change of changes) {
    if (change.type === 'delete') resources.delete(change.key);
    else resources.set(change.key, change.desired);
  }
  return { resources };
}

/** What a body becomes by field changes alone: a reading of `diff.yaml` that uses nothing but what is in it. */
export function applyFields(body: JsonObject, fields: readonly FieldChange[]): JsonObject {
  const copy = structuredClone(body) as Record<string, Json>;
  // Items at the end of a list go from the last one on.
  const ordered = [...fields].sort((a, b) => (a.kind === 'A' && b.kind === 'A' ? removalOrder(a, b) : 0));
  for (const field of ordered) {
    if (field.kind === 'A') {
      const list = valueAt(copy, field.path) as Json[];
      if (field.item.kind === 'N') list[field.index] = field.item.rhs;
      else list.splice(field.index, 1);
      continue;
    }
    const holder = valueAt(copy, field.path.slice(0, -1)) as Record<string | number, Json>;
    const last = field.path.at(-1) ?? '';
    if (field.kind === 'D') delete holder[last];
    else
      Object.defineProperty(holder, last, { value: field.rhs, writable: true, enumerable: true, configurable: true });
  }
  return copy;
}

function removalOrder(a: Extract<FieldChange, { kind: 'A' }>, b: Extract<FieldChange, { kind: 'A' }>): number {
  return a.item.kind === 'D' && b.item.kind === 'D' ? b.index - a.index : 0;
}

function valueAt(value: Json, path: JsonPath): Json {
  return path.reduce<Json>((held, step) => (held as Record<string | number, Json>)[step] as Json, value);
}
