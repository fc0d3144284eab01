import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startEmulator } from '../../src/emulator/index.js';
import { isJsonObject, type JsonObject } from '../../src/model/json.js';
import { createPoolManager } from '../../src/pool/manager.js';
import { drawn } from './draw.js';
import { drawFromSchema } from './from-schema.js';
import { holdsFor, patience } from './runs.js';
import { Subject } from './subject.js';

/** Real gateways' schemas are no part of the project: they are looked for beside it. */
const beside = join(import.meta.dirname, '../../../shared/schemas');

function sourcesOf(version: string): readonly (readonly [of: string, schemas: object | undefined])[] {
  const file = join(beside, `plugins-${version}.json`);
  if (!existsSync(file)) {
    process.stderr.write(`no schemas of gateway ${version} beside the project: only the emulator's own are tried\n`);
    return [['the emulator', undefined]];
  }
  return [
    ['the emulator', undefined],
    ['the gateway', JSON.parse(readFileSync(file, 'utf8')) as object],
  ];
}

/** Plugins that only take values which a schema does not tell. */
const special = new Set(['traffic-split']);

describe.each(['3.2.2', '3.10.0', '3.13.0', '3.15.0', '3.18.0'])('plugins of %s', (version) => {
  it.each(sourcesOf(version))(
    'do not differ from what was synced, by the schemas of %s',
    async (_of, schemas) => {
      const emulator = await startEmulator({ gatewayVersion: version, ...(schemas === undefined ? {} : { schemas }) });
      const pools = createPoolManager();
      try {
        const asked = new Subject(emulator, 'apisix', pools);
        const definitions = (await asked.admin('GET', '/plugins?all=true')).json as Readonly<
          Record<string, JsonObject>
        >;
        const configurations = drawn((draw) =>
          Object.entries(definitions)
            .filter(([name]) => !special.has(name))
            .map(([name, { schema }]) => {
              const config = isJsonObject(schema ?? null) ? drawFromSchema(draw, schema as JsonObject) : {};
              return [name, isJsonObject(config) ? config : {}] as const;
            }),
        );
        await holdsFor(1, configurations, async (drawnPlugins) => {
          emulator.reset();
          const subject = new Subject(emulator, 'apisix', pools);
          const services = drawnPlugins.map(([name, config]) => ({ name, plugins: { [name]: config } }));
          const { failed } = await subject.sync({ services });
          // What breaks a rule between fields is refused, and no matter here.
          const refused = new Set(failed.map((line) => /^create service (\S+):/.exec(line)?.[1]));
          const taken = services.filter(({ name }) => !refused.has(name));
          expect(taken.length).toBeGreaterThan(services.length / 4);
          expect(await subject.diff({ services: taken })).toEqual([]);
          expect(await subject.diff(await subject.dump())).toEqual([]);
        });
      } finally {
        await pools.close();
        await emulator.close();
      }
    },
    patience,
  );
});
