// Measures the server against the embedded Admin API, each in a process of its own: `npm run bench:server [-- --quick]`.
import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Pool } from 'undici';
import { bundleServer, root, temporaryFolder } from '../support/bundle.mjs';
import { startChild } from '../support/process.mjs';
import { createReport } from '../support/report.mjs';
import { median, quantile } from '../support/statistics.mjs';

const fixtures = join(root, 'test/pool/fixtures');
const temporary = temporaryFolder('server');

/** `--quick` proves that it runs; its numbers say little. */
const quick = process.argv.includes('--quick');
const only = process.argv.find((argument) => argument.startsWith('--only='))?.slice('--only='.length);
const seconds = Number(process.env['BENCH_SECONDS'] ?? (quick ? 1 : 10));

const bundle = await bundleServer(temporary);

const wanted = (name) => only === undefined || only === name;
const { failures, line: report } = createReport({ lenient: quick });

const startGateway = async () =>
  await startChild(new URL('../emulator/server.mjs', import.meta.url), ['emulator', JSON.stringify({ workers: 2 })]);
const startAdc = async (options = {}) =>
  await startChild(
    new URL('server.mjs', import.meta.url),
    [bundle, JSON.stringify({ listen: 'http://127.0.0.1:0', ...options })],
    ['--expose-gc'],
  );

const small = {
  services: [
    {
      name: 'shop',
      upstream: { nodes: [{ host: '127.0.0.1', port: 8080, weight: 1 }] },
      routes: [
        { name: 'items', uris: ['/items/*'] },
        { name: 'orders', uris: ['/orders/*'], methods: ['GET'] },
      ],
    },
  ],
};

const bodyOf = (gateway, config, cacheKey, opts = {}) =>
  JSON.stringify({
    task: {
      opts: {
        backend: 'apisix',
        server: gateway.url,
        token: gateway.adminKey,
        cacheKey,
        tlsSkipVerify: false,
        timeout: 120_000,
        ...opts,
      },
      config,
    },
  });

async function syncOnce(pool, body) {
  const { statusCode, body: answer } = await pool.request({
    method: 'PUT',
    path: '/sync',
    body,
    headers: { 'content-type': 'application/json' },
    headersTimeout: 120_000,
  });
  const text = await answer.text();
  if (statusCode !== 202 || !text.startsWith('{"status":"success"'))
    throw new Error(`${statusCode} ${text.slice(0, 300)}`);
}

/** Runs so many loops of `once` side by side for a time; gives rate, latencies and the count of each loop. */
async function loop(clients, once, time = seconds) {
  const end = performance.now() + time * 1000;
  const counts = Array.from({ length: clients }, () => 0);
  const latencies = [];
  const began = performance.now();
  await Promise.all(
    counts.map(async (_, client) => {
      while (performance.now() < end) {
        const from = performance.now();
        await once(client);
        latencies.push(performance.now() - from);
        counts[client] += 1;
      }
    }),
  );
  return {
    rate: latencies.length / ((performance.now() - began) / 1000),
    latencies: latencies.sort((a, b) => a - b),
    counts,
  };
}

/** The reads that one sync makes, as the gateway saw them. Asked of a server of its own: the one to be measured knows one gateway. */
const readPaths = async (gateway) => {
  const adc = await startAdc();
  const seen = [];
  const { createServer, request } = await import('node:http');
  const relay = createServer((incoming, outgoing) => {
    seen.push(incoming.url);
    const { hostname, port } = new URL(gateway.url);
    incoming.pipe(
      request({ hostname, port, path: incoming.url, method: incoming.method, headers: incoming.headers }, (answer) => {
        outgoing.writeHead(answer.statusCode, answer.headers);
        answer.pipe(outgoing);
      }),
    );
  });
  await new Promise((resolve) => relay.listen(0, '127.0.0.1', resolve));
  const pool = new Pool(adc.url);
  await syncOnce(pool, bodyOf({ ...gateway, url: `http://127.0.0.1:${relay.address().port}` }, small, 'relay'));
  await pool.close();
  relay.closeAllConnections();
  relay.close();
  await adc.stop();
  return seen;
};

async function rates() {
  const gateway = await startGateway();
  const adc = await startAdc();
  const pool = new Pool(adc.url, { connections: 64 });
  await syncOnce(pool, bodyOf(gateway, small, 'first'));
  const paths = await readPaths(gateway);
  const bare = new Pool(gateway.url, { connections: 256 });
  const headers = { 'x-api-key': gateway.adminKey };
  const read = async (path) => await (await bare.request({ method: 'GET', path, headers })).body.text();
  // As many reads at once as a sync makes of them.
  const bareOnce = async () => await Promise.all(paths.map(read));

  process.stdout.write(`small configuration, nothing changed, ${paths.length} reads a sync, ${seconds} s each\n`);
  for (const clients of [1, 8, 64]) {
    const bodies = Array.from({ length: clients }, (_, client) => bodyOf(gateway, small, `key-${client}`));
    // The first calls of a process run unoptimised, on both sides.
    await loop(clients, bareOnce, quick ? 1 : 3);
    await loop(clients, async (client) => await syncOnce(pool, bodies[client]), quick ? 1 : 3);
    const created = (await adc.ask('pools')).pools.reduce((sum, each) => sum + each.created, 0);
    const ratios = [];
    const ours = [];
    // Short slices in turn, so that both meet the same weather.
    const slices = 10;
    const cpu = { bare: 0, ours: 0 };
    const spent = ({ user, system }) => (user + system) / 1000;
    for (let slice = 0; slice < slices; slice += 1) {
      const bareBefore = process.cpuUsage();
      const bareRate = await loop(clients, bareOnce, seconds / slices);
      cpu.bare += spent(process.cpuUsage(bareBefore)) / bareRate.latencies.length / slices;
      const before = spent(await adc.ask('cpu'));
      const ourRate = await loop(clients, async (client) => await syncOnce(pool, bodies[client]), seconds / slices);
      cpu.ours += (spent(await adc.ask('cpu')) - before) / ourRate.latencies.length / slices;
      ratios.push(ourRate.rate / bareRate.rate);
      ours.push({ ...ourRate, bare: bareRate.rate });
    }
    const rate = median(ours.map((each) => each.rate));
    const latencies = ours.flatMap((each) => each.latencies).sort((a, b) => a - b);
    const counts = ours[0].counts.map((_, client) => ours.reduce((sum, each) => sum + each.counts[client], 0));
    const mean = counts.reduce((sum, count) => sum + count, 0) / clients;
    const [p50, p99] = [quantile(latencies, 0.5), quantile(latencies, 0.99)];
    process.stdout.write(
      `  ${clients} clients: ${rate.toFixed(0)} syncs/s, bare ${median(ours.map((each) => each.bare)).toFixed(0)}/s, p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms; CPU ${cpu.ours.toFixed(2)} ms a sync, bare ${cpu.bare.toFixed(2)} ms\n`,
    );
    report(
      `${clients} clients: rate over that of a bare client`,
      median(ratios).toFixed(2),
      '>= 0.6',
      median(ratios) >= 0.6,
    );
    if (clients === 64) {
      report('64 clients: p99 over p50', (p99 / p50).toFixed(1), '<= 8', p99 <= 8 * p50);
      report(
        '64 clients: the least of a client over the mean',
        (Math.min(...counts) / mean).toFixed(2),
        '>= 0.5',
        Math.min(...counts) >= mean / 2,
      );
    }
    const more = (await adc.ask('pools')).pools.reduce((sum, each) => sum + each.created, 0) - created;
    report(`${clients} clients: connections opened after the first second`, more, '0', more === 0);
  }
  await bare.close();
  await pool.close();
  await adc.stop();
  await gateway.stop();
}

async function idle() {
  const gateway = await startGateway();
  const adc = await startAdc({ pool: { idleWindow: 500, idleTimeout: 60_000 } });
  const pool = new Pool(adc.url, { connections: 64 });
  const bodies = Array.from({ length: 64 }, (_, client) => bodyOf(gateway, small, `key-${client}`));
  await loop(64, async (client) => await syncOnce(pool, bodies[client]), 1);
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  const open = (await adc.ask('pools')).pools.reduce((sum, each) => sum + each.open, 0);
  report('connections left idle (what was needed lately forgotten after 0.5 s)', open, '<= 16', open <= 16);
  await pool.close();
  await adc.stop();
  await gateway.stop();
}

async function memory() {
  const gateway = await startGateway();
  const adc = await startAdc();
  const pool = new Pool(adc.url, { connections: 8 });
  const bodies = Array.from({ length: 8 }, (_, client) => bodyOf(gateway, small, `key-${client}`));
  const run = async (count) => {
    let left = count;
    await Promise.all(
      bodies.map(async (body) => {
        while (left > 0) {
          left -= 1;
          await syncOnce(pool, body);
        }
      }),
    );
  };
  const [few, many] = quick ? [200, 2_000] : [2_000, 20_000];
  await run(few);
  const first = await adc.ask('memory');
  await run(many - few);
  const last = await adc.ask('memory');
  const growth = (last.heapUsed / first.heapUsed - 1) * 100;
  report(`used heap after ${many} syncs over that after ${few}`, `${growth.toFixed(1)} %`, '<= 10 %', growth <= 10);
  report('resident', `${(last.rss / 1e6).toFixed(0)} MB`, '<= 180 MB', last.rss <= 180e6);
  await pool.close();
  await adc.stop();
  await gateway.stop();
}

async function stalls() {
  const gateway = await startGateway();
  const adc = await startAdc();
  const probe = fork(join(import.meta.dirname, 'probe.mjs'), [adc.statusUrl]);
  const asked = async () =>
    await new Promise((resolve) => {
      probe.once('message', resolve);
      probe.send('tell');
    });
  const pool = new Pool(adc.url, { connections: 1 });
  const services = (change) =>
    Array.from({ length: 5_000 }, (_, index) => ({
      name: `service-${index}`,
      ...(index === 17 ? { description: change } : {}),
      upstream: { nodes: [{ host: `10.0.${index >> 8}.${index & 255}`, port: 8080, weight: 1 }] },
      routes: [
        {
          name: `route-${index}`,
          uris: [`/service-${index}/*`],
          methods: ['GET', 'POST'],
          plugins: { 'limit-count': { count: 100, time_window: 60, rejected_code: 429 } },
        },
      ],
    }));
  const bodies = ['one', 'one', 'two', 'one'].map((change) => bodyOf(gateway, { services: services(change) }, 'large'));
  const names = ['all of it created', 'nothing changed, same bytes', 'one service changed', 'changed back'];
  process.stdout.write(`5,000 services with a route each, ${(bodies[0].length / 1e6).toFixed(1)} MB\n`);
  const measured = async (name, body) => {
    await asked();
    await adc.ask('stall');
    const began = performance.now();
    await syncOnce(pool, body);
    const took = performance.now() - began;
    const { stall } = await adc.ask('stall');
    const { longest } = await asked();
    process.stdout.write(
      `  ${name}: ${(took / 1000).toFixed(1)} s, longest stall of the main thread ${stall.toFixed(0)} ms\n`,
    );
    report(`${name}: slowest answer of the health endpoint`, `${longest.toFixed(0)} ms`, '<= 100 ms', longest <= 100);
  };
  for (const [index, name] of names.entries()) await measured(name, bodies[index]);
  await measured(
    'nothing changed, other bytes',
    bodyOf(gateway, { services: services('one') }, 'large', { timeout: 119_999 }),
  );
  await measured(
    'nothing changed, again the same bytes',
    bodyOf(gateway, { services: services('one') }, 'large', { timeout: 119_999 }),
  );
  const { rss, heapUsed } = await adc.ask('memory');
  const megabytes = (bytes) => `${(bytes / 1e6).toFixed(0)} MB`;
  process.stdout.write(`  resident after these ${megabytes(rss)}, used heap ${megabytes(heapUsed)}\n`);
  probe.disconnect();
  await pool.close();
  await adc.stop();
  await gateway.stop();
}

async function mutualTls() {
  const gateway = await startGateway();
  const adc = await startAdc();
  const tls = {
    certFile: join(fixtures, 'server.pem'),
    keyFile: join(fixtures, 'server.key'),
    clientCaFile: join(fixtures, 'ca.pem'),
  };
  const secure = await startAdc({ listen: 'https://127.0.0.1:0', tls });
  const read = (name) => readFileSync(join(fixtures, name), 'utf8');
  const cert = read('clients.pem').match(/-----BEGIN[^]+?-----END CERTIFICATE-----\n/)[0];
  const pools = [
    new Pool(adc.url, { connections: 8 }),
    new Pool(secure.url, { connections: 8, connect: { ca: read('ca.pem'), cert, key: read('client.key') } }),
  ];
  const bodies = Array.from({ length: 8 }, (_, client) => bodyOf(gateway, small, `key-${client}`));
  const ratios = [];
  for (let slice = 0; slice < 6; slice += 1) {
    const [plain, mutual] = [
      await loop(8, async (client) => await syncOnce(pools[0], bodies[client]), seconds / 5),
      await loop(8, async (client) => await syncOnce(pools[1], bodies[client]), seconds / 5),
    ];
    if (slice > 0) ratios.push(mutual.rate / plain.rate);
  }
  report(
    '8 clients over mutual TLS: rate over that of plain HTTP',
    median(ratios).toFixed(2),
    '>= 0.8',
    median(ratios) >= 0.8,
  );
  for (const pool of pools) await pool.close();
  await Promise.all([adc.stop(), secure.stop()]);
  await gateway.stop();
}

const parts = { rates, idle, memory, stalls, mutualTls };
for (const [name, part] of Object.entries(parts)) if (wanted(name)) await part();
if (failures.length > 0) process.exitCode = 1;
