import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { compileDefaults } from '../../src/backend/shared/defaults.js';
import { asObject, asText, omit } from '../../src/backend/shared/values.js';
import { isJsonObject, type Json, type JsonObject } from '../../src/model/json.js';
import { exchangesOf, type Recorded } from './recorded.js';

/** Real gateways' schemas are not part of the project: they are looked for beside it. */
const schemas = fileURLToPath(new URL('../../../shared/schemas/', import.meta.url));
const hasSchemas = existsSync(schemas);
if (!hasSchemas)
  process.stderr.write('no gateway schemas beside the project: comparing defaults with them is skipped\n');

// A skipped suite is collected all the same.
const read = (file: string): JsonObject =>
  hasSchemas ? (JSON.parse(readFileSync(`${schemas}${file}`, 'utf8')) as JsonObject) : { exchanges: [] };

const words: Readonly<Record<string, string>> = {
  routes: 'route',
  services: 'service',
  upstreams: 'upstream',
  ssls: 'ssl',
  consumers: 'consumer',
  consumer_groups: 'consumer_group',
  plugin_configs: 'plugin_config',
  global_rules: 'global_rule',
  stream_routes: 'stream_route',
};

/** The writes of a recording that were taken, with what was sent and what was stored. */
function writes(version: string): readonly Recorded[] {
  return exchangesOf(version).filter(
    ({ request, response }) =>
      request.method === 'PUT' && response.status < 300 && isJsonObject(request.body) && isJsonObject(response.json),
  );
}

describe.skipIf(!hasSchemas).each(['3.2.2', '3.10.0', '3.13.0'])('the defaults that gateway %s stores', (version) => {
  const core = new Map(
    (read(`exchanges-${version}.json`)['exchanges'] as readonly JsonObject[]).flatMap((exchange) => {
      const name = (asText(exchange['case']) ?? '').replace('core schema: ', '');
      return name === exchange['case']
        ? []
        : [[name, asObject(asObject(exchange['response'])?.['json']) ?? {}] as const];
    }),
  );
  const plugins = read(`plugins-${version}.json`);
  const fill = (schema: Json | undefined, value: Json): Json =>
    (isJsonObject(schema) ? compileDefaults(schema)?.(value) : undefined) ?? value;

  const cases = writes(version)
    .map((exchange) => ({ ...exchange, collection: exchange.request.path.split('/')[3] ?? '' }))
    .filter(({ collection }) => words[collection] !== undefined);

  it('has writes to compare', () => expect(cases.length).toBeGreaterThan(20));

  it.each(cases.map((one) => [one.case, one] as const))('%s', (_, { request, response, collection }) => {
    const sent = request.body as JsonObject;
    const filled = fill(core.get(words[collection] ?? ''), sent) as JsonObject;
    const use = request.path.includes('/credentials/') || collection === 'consumers' ? 'consumer_schema' : 'schema';
    const configured = Object.entries(asObject(filled['plugins']) ?? {}).map(([name, config]): [string, Json] => {
      const definition = asObject(plugins[name]) ?? {};
      return [name, fill(definition[use] ?? definition['schema'], config)];
    });
    const expected = sent['plugins'] === undefined ? filled : { ...filled, plugins: Object.fromEntries(configured) };
    const stored = omit(asObject((response.json as JsonObject)['value']) ?? {}, ['id', 'create_time', 'update_time']);
    expect(maskKeys(omit(expected, ['id', 'create_time', 'update_time']))).toEqual(maskKeys(stored));
  });
});

/** Keys are stored encrypted; the recordings hold markers in their place. */
function maskKeys(value: Json): Json {
  if (Array.isArray(value)) return value.map((item: Json) => maskKeys(item));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, content]) =>
      ['key', 'keys', 'client_key', 'secret', 'password'].includes(name) ? [name, 'masked'] : [name, maskKeys(content)],
    ),
  );
}
