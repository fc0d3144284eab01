import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { isJsonObject, type Json, type JsonObject } from '../../src/model/json.js';
import { abilitiesOf } from './bench.js';
import { everything } from './documents.js';

const schema = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../schema/adc.schema.json'), 'utf8'),
) as JsonObject;

/** Fields that no gateway of this kind stores, or that stand for another field of the same meaning. */
const notStored: Readonly<Record<string, string>> = {
  'services[].path_prefix': 'another product has it',
  'services[].strip_path_prefix': 'another product has it',
  'services[].upstream.name': 'a default upstream is named after its service',
  'services[].upstream.checks.active.req_headers': "the gateway's own name of http_request_headers",
};

/** The paths of all fields below a schema; what is inside open mappings is not listed. */
function fieldsOf(node: Json | undefined, path: string, into: Set<string>): void {
  if (!isJsonObject(node)) return;
  for (const branch of ['anyOf', 'allOf', 'oneOf']) {
    const branches = node[branch];
    if (Array.isArray(branches)) for (const one of branches as readonly Json[]) fieldsOf(one, path, into);
  }
  if (isJsonObject(node['items'])) fieldsOf(node['items'], `${path}[]`, into);
  const properties = node['properties'];
  if (!isJsonObject(properties)) return;
  for (const [name, child] of Object.entries(properties)) {
    const field = path === '' ? name : `${path}.${name}`;
    into.add(field);
    fieldsOf(child, field, into);
  }
}

/** The paths of all fields in a document. */
function pathsOf(value: Json, path: string, into: Set<string>): void {
  if (Array.isArray(value)) for (const item of value as readonly Json[]) pathsOf(item, `${path}[]`, into);
  if (!isJsonObject(value)) return;
  for (const [name, child] of Object.entries(value)) {
    const field = path === '' ? name : `${path}.${name}`;
    into.add(field);
    pathsOf(child, field, into);
  }
}

/** An upstream, and a consumer, is the same wherever it stands: one of each with every field is enough. */
const whereverItStands = (field: string): string =>
  field
    .replace(/^(services\[\]\.upstreams\[\]|upstreams\[\])\.(?!id$|name$)/, 'services[].upstream.')
    .replace(/^consumer_groups\[\]\.consumers\[\]\.(?!username$)/, 'consumers[].');

it('the document with everything has every field of every kind', () => {
  const wanted = new Set<string>();
  fieldsOf(schema, '', wanted);
  const had = new Set<string>();
  pathsOf(everything(abilitiesOf('3.18.0', 'apisix')), '', had);
  const missing = [...wanted].filter(
    (field) => !had.has(whereverItStands(field)) && notStored[whereverItStands(field)] === undefined,
  );
  expect(missing).toEqual([]);
});
