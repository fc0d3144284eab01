// Measures the standalone backend against 16 embedded instances: `npm run bench:standalone [-- --quick]`.
// The instances, the server, the command line and this client are processes of their own.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Pool } from 'undici';
import { bundleEntries, bundleServer, root, temporaryFolder } from '../support/bundle.mjs';
import { runProgram, startChild } from '../support/process.mjs';
import { createReport } from '../support/report.mjs';
import { median } from '../support/statistics.mjs';

const quick = process.argv.includes('--quick');
const instances = 16;
const routes = quick ? 500 : 5000;
const rounds = quick ? 2 : 5;

const temporary = temporaryFolder('standalone');
await bundleEntries([join(root, 'src/main.ts')], join(temporary, 'cli'), {
  splitting: true,
  define: { __ADC_VERSION__: '"0.0.0"' },
});
const bundle = await bundleServer(temporary);
const { failures, line: report } = createReport({ width: 66, lenient: quick });

/** A configuration of the size; `edition` changes one route of it. */
function configuration(edition) {
  const perService = 50;
  return {
    services: Array.from({ length: routes / perService }, (_, service) => ({
      name: `service-${service}`,
      upstream: { nodes: [{ host: `10.0.${service % 250}.1`, port: 8080, weight: 1 }] },
      routes: Array.from({ length: perService }, (_, route) => ({
        name: `route-${service}-${route}`,
        uris: [`/svc-${service}/r-${route}/*`],
        hosts: [`h${service}.example.com`],
        methods: ['GET', 'POST'],
        priority: service === 0 && route === 0 ? edition : 1,
        plugins: { 'proxy-rewrite': { uri: `/r-${route}` } },
      })),
    })),
  };
}

const group = await startChild(new URL('instances.mjs', import.meta.url), [String(instances)]);
const adc = await startChild(
  new URL('../server/server.mjs', import.meta.url),
  [bundle, JSON.stringify({ listen: 'http://127.0.0.1:0' })],
  ['--expose-gc'],
);
const path = '/apisix/admin/configs';
const headers = { 'x-api-key': group.adminKey };
const client = new Pool(adc.url, { connections: 1 });
const direct = group.urls.map((url) => new Pool(url, { connections: 1 }));

const bodyOf = (config, cacheKey = 'bench') =>
  JSON.stringify({
    task: {
      opts: {
        backend: 'apisix-standalone',
        server: group.urls,
        token: group.adminKey,
        cacheKey,
        tlsSkipVerify: false,
        timeout: 120_000,
      },
      config,
    },
  });

async function syncOnce(body) {
  const from = performance.now();
  const { statusCode, body: answer } = await client.request({
    method: 'PUT',
    path: '/sync',
    body,
    headers: { 'content-type': 'application/json' },
    headersTimeout: 120_000,
  });
  const text = await answer.text();
  if (statusCode !== 202 || !text.startsWith('{"status":"success"'))
    throw new Error(`${statusCode} ${text.slice(0, 300)}`);
  return performance.now() - from;
}

async function documentOf(instance) {
  return await (await direct[instance].request({ method: 'GET', path, headers })).body.json();
}

/** Sends one finished document to every instance at once. */
async function putAll(text, digest) {
  const from = performance.now();
  await Promise.all(
    direct.map(async (pool) => {
      const { statusCode, body } = await pool.request({
        method: 'PUT',
        path,
        headers: { ...headers, 'content-type': 'application/json', 'x-digest': digest },
        body: text,
        headersTimeout: 120_000,
      });
      await body.dump();
      if (statusCode !== 202) throw new Error(`bare PUT: ${statusCode}`);
    }),
  );
  return performance.now() - from;
}

/** The next edition of the whole document, finished and written down as JSON. */
async function finishedDocument() {
  const { 'X-Digest': _digest, 'X-Last-Modified': _time, ...document } = await documentOf(0);
  const version = document.routes_conf_version + 1;
  return JSON.stringify({ ...document, routes_conf_version: version });
}

async function difference(work) {
  const before = await group.ask('counts');
  await work();
  const after = await group.ask('counts');
  return Object.fromEntries(Object.entries(after).map(([method, count]) => [method, count - (before[method] ?? 0)]));
}

async function server() {
  // A base that has every code path warm and holds little.
  for (let round = 0; round < 20; round += 1) {
    const small = bodyOf({ services: configuration(round).services.slice(0, 2) });
    await syncOnce(small);
    await syncOnce(small);
    await adc.ask('memory');
  }
  await syncOnce(bodyOf({ services: [] }));
  const base = await adc.ask('memory');
  for (let edition = 1; edition <= 3; edition += 1) await syncOnce(bodyOf(configuration(edition)));
  const bytes = (await finishedDocument()).length;
  process.stdout.write(`${instances} instances, ${routes} routes, document of ${(bytes / 1e6).toFixed(2)} MB\n`);

  const ratios = [];
  const walls = [];
  for (let round = 0; round < rounds; round += 1) {
    // Written beside the server: the first sync of each round finds that out, and only the second one is measured.
    const bare = await putAll(await finishedDocument(), `bare-${round}`);
    await syncOnce(bodyOf(configuration(100 + 3 * round)));
    await syncOnce(bodyOf(configuration(101 + 3 * round)));
    const body = bodyOf(configuration(102 + 3 * round));
    const wall = await syncOnce(body);
    ratios.push(wall / bare);
    walls.push(wall);
    if (round === 0) {
      const counts = await difference(async () => await syncOnce(bodyOf(configuration(103))));
      process.stdout.write(`  requests of a sync that changes one route: ${JSON.stringify(counts)}\n`);
    }
  }
  report(
    'one route changed, warm: wall over that of 16 bare PUTs',
    median(ratios).toFixed(2),
    `<= 2   (${median(walls).toFixed(0)} ms)`,
    median(ratios) <= 2,
  );

  const same = bodyOf(configuration(1));
  await syncOnce(same);
  await syncOnce(same);
  const idle = [];
  const counts = await difference(async () => {
    for (let round = 0; round < rounds; round += 1) idle.push(await syncOnce(same));
  });
  const { GET = 0, HEAD = 0, PUT = 0 } = counts;
  report('nothing changed: PUTs a sync', PUT / rounds, '0', PUT === 0);
  report('nothing changed: GETs a sync', GET / rounds, '0', GET === 0);
  report(
    'nothing changed: HEADs a sync',
    HEAD / rounds,
    `<= 16   (${median(idle).toFixed(0)} ms)`,
    HEAD <= 16 * rounds,
  );

  const held = await adc.ask('memory');
  const share = (held.heapUsed + held.external - base.heapUsed - base.external) / bytes;
  report('memory above the base, in documents', share.toFixed(2), '<= 3', share <= 3);
}

async function commandLine() {
  const main = join(temporary, 'cli/main.mjs');
  const file = join(temporary, 'adc.json');
  const finished = join(temporary, 'document.json');
  const ratios = [];
  const walls = [];
  for (let round = 0; round < rounds; round += 1) {
    writeFileSync(file, JSON.stringify(configuration(1000 + round)));
    const flags = ['--backend', 'apisix-standalone', '--server', group.urls.join(','), '--token', group.adminKey];
    const { wall } = await runProgram([main, 'sync', '-f', file, ...flags, '--request-concurrent', '16'], {
      cwd: temporary,
    });
    writeFileSync(finished, await finishedDocument());
    const script = join(import.meta.dirname, 'bare.mjs');
    const { wall: bare } = await runProgram([script, group.urls.join(','), group.adminKey, finished]);
    ratios.push(wall / bare);
    walls.push(wall);
  }
  report(
    'command line, one route changed: wall over 16 GETs, a parse, 16 PUTs',
    median(ratios).toFixed(2),
    `<= 2   (${median(walls).toFixed(0)} ms)`,
    median(ratios) <= 2,
  );
}

await server();
await commandLine();
await client.close();
await Promise.all(direct.map((pool) => pool.close()));
await Promise.all([adc.stop(), group.stop()]);
if (failures.length > 0) process.exitCode = 1;
