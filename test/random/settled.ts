import { expect } from 'vitest';
import type { JsonObject } from '../../src/model/json.js';
import type { State } from '../../src/model/resource.js';
import { expectStored, type Expected, type Keys } from './expectations.js';
import { pathOf } from './stored.js';
import type { Subject, SubjectOptions } from './subject.js';

/**
 * Syncs and holds that nothing failed, that nothing is left to do, that what is stored is what was wanted, and that the
 * dump says so.
 */
export async function syncAndSettle(
  subject: Subject,
  document: JsonObject,
  keys: Keys,
  expected: Expected,
  options: SubjectOptions = {},
): Promise<void> {
  keys.collect(document);
  const done = await subject.sync(document, options);
  expect(done.failed, 'what failed').toEqual([]);
  await expectSettled(subject, document, keys, expected, options);
}

/** As {@link syncAndSettle}, after it. */
export async function expectSettled(
  subject: Subject,
  document: JsonObject,
  keys: Keys,
  expected: Expected,
  options: SubjectOptions = {},
): Promise<void> {
  expect(await subject.diff(document, options), 'a diff right after a sync').toEqual([]);
  const wanted = subject.configuration(document, options).state;
  for (const raw of await subject.raw()) expectStored(raw, wanted, expected);
  const dumped = keys.fill(await subject.dump()) as JsonObject;
  const lines = await subject.diff(dumped);
  const marked = expected.mayBeMarked === true ? /^PUT (?:upstreams\/|configs ).*"__ADC_SHARED":"true"/ : /^$/;
  expect(
    lines.filter((line) => !marked.test(line)),
    'a diff of the dump',
  ).toEqual([]);
  expectSameKeys(subject.configuration(dumped).state, wanted, expected);
}

/** A dump names everything that was wanted, under the same names and ids, and besides only what stood beside. */
function expectSameKeys(dumped: State, wanted: State, { beside, mayRemain = () => false }: Expected): void {
  const known = [...dumped.resources.values()].filter(
    (resource) =>
      wanted.resources.has(resource.key) ||
      !(beside.has(pathOf(resource)) || mayRemain(pathOf(resource), resource.body)),
  );
  const words = (state: Iterable<{ key: string; name: string; parent?: string }>): readonly string[] =>
    [...state].map(({ key, name, parent }) => `${key} ${name} ${parent ?? ''}`).sort();
  expect(words(known), 'what a dump names').toEqual(words(wanted.resources.values()));
}
