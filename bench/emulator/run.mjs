// How fast the emulator is, against a server that does nothing: `node bench/emulator/run.mjs [--puts n] [--routes n] [--quick]`.
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Pool } from 'undici';
import { temporaryFolder } from '../support/bundle.mjs';
import { startChild } from '../support/process.mjs';

const { values } = parseArgs({
  options: { puts: { type: 'string' }, routes: { type: 'string' }, quick: { type: 'boolean', default: false } },
});
// `--quick` proves that it runs; its numbers say little.
const puts = Number(values.puts ?? (values.quick ? 2000 : 40_000));
const routes = Number(values.routes ?? (values.quick ? 2000 : 50_000));
const inFlight = 64;
const temporary = temporaryFolder('emulator');

const bare = await withServer(['bare'], (server) => putMany(server, puts));
print('PUTs a second, bare server', bare);

const cases = {
  'PUTs a second, 3.18.0': {},
  'PUTs a second, 3.18.0, plugins': { plugins: { 'limit-count': { count: 2, time_window: 60 }, cors: {} } },
  'PUTs a second, 3.13.0 (defaults)': { options: { gatewayVersion: '3.13.0' } },
  'PUTs a second, lag 2-7ms, 2 workers': { options: { lag: '2-7ms', workers: 2 } },
  'PUTs a second, data file': { options: { data: join(temporary, 'state.json') } },
};
for (const [name, { options = {}, plugins }] of Object.entries(cases)) {
  const rate = await withServer(['emulator', JSON.stringify(options)], (server) => putMany(server, puts, plugins));
  print(name, rate, `${Math.round((rate / bare) * 100)} % of the bare server`);
}

await withServer(['emulator', '{}'], async (server) => {
  await putMany(server, routes);
  const first = await timeList(server, routes);
  const again = await timeList(server, routes);
  await putMany(server, 1);
  const afterWrite = await timeList(server, routes);
  print(`list of ${routes}, first (ms)`, first);
  print('the same, nothing changed (ms)', again, `${Math.round((again / first) * 100)} % of the first`);
  print('the same, after one write (ms)', afterWrite, `${Math.round((afterWrite / first) * 100)} % of the first`);
});

async function withServer(args, measure) {
  const server = await startChild(new URL('server.mjs', import.meta.url), args);
  try {
    return await measure(server);
  } finally {
    await server.stop();
  }
}

async function putMany(server, count, plugins) {
  const pool = new Pool(server.url, { connections: 16, pipelining: 1 });
  const headers = { 'x-api-key': server.adminKey ?? '', 'content-type': 'application/json' };
  let next = 0;
  const work = async () => {
    while (next < count) {
      const index = next;
      next += 1;
      const body = JSON.stringify({
        uri: `/r/${index}`,
        upstream: { type: 'roundrobin', nodes: [{ host: '127.0.0.1', port: 1980, weight: 1 }] },
        plugins,
      });
      const response = await pool.request({ method: 'PUT', path: `/apisix/admin/routes/r${index}`, headers, body });
      if (response.statusCode >= 300) throw new Error(`${response.statusCode} ${await response.body.text()}`);
      await response.body.dump();
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: inFlight }, work));
  const rate = (count / (performance.now() - start)) * 1000;
  await pool.close();
  return rate;
}

async function timeList(server, count) {
  const start = performance.now();
  const response = await fetch(`${server.url}/apisix/admin/routes`, { headers: { 'x-api-key': server.adminKey } });
  const bytes = (await response.arrayBuffer()).byteLength;
  const took = performance.now() - start;
  if (!response.ok || bytes < count * 50) throw new Error(`${response.status}: ${bytes} bytes for ${count} routes`);
  return took;
}

function print(name, value, note = '') {
  process.stdout.write(`${name.padEnd(42)} ${Math.round(value).toString().padStart(8)}  ${note}\n`);
}
