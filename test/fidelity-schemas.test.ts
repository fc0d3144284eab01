import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Emulator, emulatedVersions, startEmulator } from '../src/emulator/index.js';
import { type Exchange, outgoing, replay } from './fidelity/replay.js';
import { schemaFacts } from './fidelity/schema-facts.js';

// The gateways' own schema texts are no part of this project: they are compared with where they lie beside it.
const schemas = fileURLToPath(new URL('../../shared/schemas', import.meta.url));
const present = existsSync(schemas);
if (!present) {
  process.stderr.write(
    `SKIPPED: the schemas of running gateways are not at ${schemas}; nothing compares ours with them\n`,
  );
}

interface GatewayPlugin {
  readonly schema: unknown;
  readonly consumer_schema?: unknown;
  readonly metadata_schema?: unknown;
  readonly priority: number;
  readonly version: number;
}

function read(name: string): unknown {
  return JSON.parse(readFileSync(`${schemas}/${name}`, 'utf8'));
}

describe.skipIf(!present).each(emulatedVersions)('the schemas of a gateway %s', (version) => {
  let emulator: Emulator;
  beforeAll(async () => {
    emulator = await startEmulator({ gatewayVersion: version });
  });
  afterAll(() => emulator.close());

  test('are answered with the same facts', async () => {
    const { exchanges } = read(`exchanges-${version}.json`) as { readonly exchanges: readonly Exchange[] };
    expect(exchanges.length).toBeGreaterThan(10);
    const different: string[] = [];
    for (const exchange of exchanges) {
      const answer = await replay(emulator, outgoing(exchange.request, emulator.adminKey));
      expect({ case: exchange.case, status: answer.status }).toEqual({
        case: exchange.case,
        status: exchange.response.status,
      });
      if (exchange.case === 'plugin list') {
        // The emulator has the commonest plugins only.
        expect(exchange.response.json).toEqual(expect.arrayContaining(answer.body as string[]));
        continue;
      }
      try {
        expect(schemaFacts(answer.body)).toEqual(schemaFacts(exchange.response.json));
      } catch (error) {
        different.push(`${exchange.case}: ${String(error).slice(0, 1000)}`);
      }
    }
    expect(different).toEqual([]);
  });

  test('of the plugins the emulator has are the same', async () => {
    const real = read(`plugins-${version}.json`) as Readonly<Record<string, GatewayPlugin>>;
    const answer = await replay(
      emulator,
      outgoing({ method: 'GET', path: '/apisix/admin/plugins?all=true', key: 'admin' }, emulator.adminKey),
    );
    const own = answer.body as Readonly<Record<string, GatewayPlugin>>;
    expect(Object.keys(own).length).toBeGreaterThan(25);
    const different = Object.entries(own).flatMap(([name, plugin]) => {
      try {
        expect(factsOf(plugin)).toEqual(factsOf(real[name]));
        return [];
      } catch (error) {
        return [`${name}: ${String(error).slice(0, 1500)}`];
      }
    });
    expect(different).toEqual([]);
  });

  test('can be given instead of its own', async () => {
    const given = read(`plugins-${version}.json`) as Readonly<Record<string, GatewayPlugin>>;
    await using other = await startWith({ gatewayVersion: version, schemas: given });
    const list = await replay(
      other.emulator,
      outgoing({ method: 'GET', path: '/apisix/admin/plugins/list', key: 'admin' }, other.emulator.adminKey),
    );
    expect((list.body as string[]).toSorted()).toEqual(Object.keys(given).toSorted());
    // Every one of them is compiled: whatever is refused is refused for what the schema says.
    for (const plugin of Object.keys(given)) {
      const put = await replay(
        other.emulator,
        outgoing(
          {
            method: 'PUT',
            path: '/apisix/admin/routes/r',
            key: 'admin',
            body: { uri: '/', upstream: { nodes: { '127.0.0.1:80': 1 } }, plugins: { [plugin]: {} } },
          },
          other.emulator.adminKey,
        ),
      );
      expect([plugin, put.status < 500, put.status < 300 || JSON.stringify(put.body).includes(plugin)]).toEqual([
        plugin,
        true,
        true,
      ]);
    }
  });
});

async function startWith(options: Parameters<typeof startEmulator>[0]) {
  const emulator = await startEmulator(options);
  return { emulator, [Symbol.asyncDispose]: () => emulator.close() };
}

function factsOf(plugin: GatewayPlugin | undefined): unknown {
  return {
    schema: schemaFacts(plugin?.schema),
    consumer: schemaFacts(plugin?.consumer_schema),
    metadata: withoutMeta(schemaFacts(plugin?.metadata_schema)),
    priority: plugin?.priority,
    version: plugin?.version,
  };
}

/** A gateway marks the metadata schemas that one request happened to look at. */
function withoutMeta(facts: unknown): unknown {
  if (typeof facts !== 'object' || facts === null || !('properties' in facts)) return facts;
  const { _meta, ...properties } = facts.properties as Record<string, unknown>;
  return { ...facts, properties };
}
