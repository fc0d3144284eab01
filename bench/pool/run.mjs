// Measures the pool manager against a bare undici Pool that does the same work in the same process. `npm run bench:pool`.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Pool } from 'undici';
import { importBundle, root } from '../support/bundle.mjs';
import { startChild } from '../support/process.mjs';
import { median } from '../support/statistics.mjs';

const fixtures = join(root, 'test/pool/fixtures');

/** `--quick` proves that it runs; its numbers say little. */
const quick = process.argv.includes('--quick');
const rounds = quick ? 3 : 24;
const slice = quick ? 200 : 300;

const { createPoolManager } = await importBundle(`export { createPoolManager } from './src/pool/manager.js';`);

const ca = readFileSync(join(fixtures, 'ca.pem'), 'utf8');
const key = readFileSync(join(fixtures, 'client.key'), 'utf8');
const certificates = readFileSync(join(fixtures, 'clients.pem'), 'utf8').match(
  /-----BEGIN[^]+?-----END CERTIFICATE-----\n/g,
);
const body = Buffer.from(JSON.stringify({ uri: '/anything', desc: 'y'.repeat(600) }));
const headers = { 'x-api-key': 'edd1c9f034335f136f87ad84b625c8f1', 'content-type': 'application/json' };

const server = await startChild(new URL('server.mjs', import.meta.url), [fixtures]);
const origins = { http: `http://127.0.0.1:${server.http}`, https: `https://127.0.0.1:${server.https}` };

const counts = async () => (await server.ask('counts')).counts;

/** Keeps `inFlight` requests going for a slice of time. */
async function measure(send, inFlight, milliseconds) {
  const cpu = process.cpuUsage();
  const start = performance.now();
  const end = start + milliseconds;
  let done = 0;
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (performance.now() < end) {
        await send();
        done += 1;
      }
    }),
  );
  const elapsed = performance.now() - start;
  const used = process.cpuUsage(cpu);
  return { rate: (done / elapsed) * 1000, cpu: (used.user + used.system) / done };
}

// First, while the process is small: later growth would go unseen in memory that is there already.
console.log('## Memory per idle pool\n');
for (const scheme of ['http', 'https']) {
  const pools = createPoolManager({ poolsMax: 1000 });
  const number = quick ? 32 : 200;
  const collect = async () => {
    for (let turn = 0; turn < 3; turn += 1) {
      globalThis.gc?.();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  // What the first of its kind loads is not of the pools.
  const first = await pools.lease(
    scheme === 'https' ? { origin: origins.https, tls: { ca } } : { origin: origins.http },
  );
  await first.request({ method: 'GET', path: '/', headers });
  await collect();
  const before = process.memoryUsage();
  const leases = [];
  for (let index = 0; index < number; index += 1) {
    const tls = {
      ca,
      cert: certificates[index % 32],
      key,
      serverName: index < 32 ? 'localhost' : `a${index}.localhost`,
      verify: false,
    };
    const origin =
      scheme === 'https'
        ? origins.https
        : `http://127.0.${Math.floor(index / 250)}.${(index % 250) + 1}:${server.http}`;
    const lease = await pools.lease(scheme === 'https' ? { origin, tls } : { origin });
    leases.push(lease);
    if (scheme === 'https') await lease.request({ method: 'GET', path: '/', headers });
  }
  for (const lease of leases) lease.release();
  await collect();
  const after = process.memoryUsage();
  const kib = (name) => ((after[name] - before[name]) / number / 1024).toFixed(1);
  console.log(
    scheme === 'https'
      ? `- with one idle TLS connection: ${kib('heapUsed')} KiB of heap, ${kib('rss')} KiB of resident memory`
      : `- without a connection: ${kib('heapUsed')} KiB of heap`,
  );
  await pools.close();
}

console.log('\n## Rate and CPU, as ratios to a bare undici Pool\n');
console.log('| scheme | in flight | requests/s | bare | rate ratio | CPU µs/request | bare | CPU ratio |');
console.log('| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |');
for (const scheme of ['http', 'https']) {
  for (const inFlight of [1, 10, 64, 256]) {
    const pools = createPoolManager();
    const lease = await pools.lease({ origin: origins[scheme], tls: { ca } }, { concurrency: inFlight });
    const bare = new Pool(origins[scheme], { connections: inFlight, connect: { ca }, keepAliveTimeout: 45_000 });
    const ours = async () => {
      const answer = await lease.request({ method: 'PUT', path: '/apisix/admin/routes/1', headers, body });
      if (answer.status !== 200 || answer.body.length < 300) throw new Error('wrong answer');
    };
    const theirs = async () => {
      const answer = await bare.request({ method: 'PUT', path: '/apisix/admin/routes/1', headers, body });
      const bytes = await answer.body.bytes();
      if (answer.statusCode !== 200 || bytes.length < 300) throw new Error('wrong answer');
    };
    await measure(ours, inFlight, slice);
    await measure(theirs, inFlight, slice);
    const pairs = [];
    for (let round = 0; round < rounds; round += 1) {
      // In turns, so that whatever else the machine does hits both.
      const swap = round % 2 === 1;
      const first = await measure(swap ? theirs : ours, inFlight, slice);
      const second = await measure(swap ? ours : theirs, inFlight, slice);
      pairs.push(swap ? [second, first] : [first, second]);
    }
    const row = [
      scheme,
      inFlight,
      Math.round(median(pairs.map(([a]) => a.rate))),
      Math.round(median(pairs.map(([, b]) => b.rate))),
      median(pairs.map(([a, b]) => a.rate / b.rate)).toFixed(2),
      median(pairs.map(([a]) => a.cpu)).toFixed(0),
      median(pairs.map(([, b]) => b.cpu)).toFixed(0),
      median(pairs.map(([a, b]) => a.cpu / b.cpu)).toFixed(2),
    ];
    console.log(`| ${row.join(' | ')} |`);
    lease.release();
    await pools.close();
    await bare.close();
  }
}

console.log('\n## Connections opened in a steady state (jobs of ten requests, a lease each)\n');
console.log('| scheme | jobs at once | jobs | opened in the first second | opened after it | most open |');
console.log('| --- | ---: | ---: | ---: | ---: | ---: |');
for (const scheme of ['http', 'https']) {
  for (const jobs of [8, 64]) {
    const pools = createPoolManager();
    const before = await counts();
    let ended = 0;
    const seconds = quick ? 2 : 10;
    const end = performance.now() + seconds * 1000;
    const job = async () => {
      const lease = await pools.lease({ origin: origins[scheme], tls: { ca } });
      await Promise.all(
        Array.from({ length: 10 }, (_, index) =>
          lease.request({ method: 'PUT', path: `/apisix/admin/routes/${index}`, headers, body }),
        ),
      );
      lease.release();
      ended += 1;
    };
    const running = Promise.all(
      Array.from({ length: jobs }, async () => {
        while (performance.now() < end) await job();
      }),
    );
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const warm = await counts();
    await running;
    const after = await counts();
    const open = pools.report().pools[0].open;
    console.log(
      `| ${scheme} | ${jobs} | ${ended} | ${warm.connections - before.connections} | ${after.connections - warm.connections} | ${open} |`,
    );
    await pools.close();
  }
}

console.log('\n## Handshakes per identity (32 identities, 8 rounds of 4 requests at once each)\n');
{
  const pools = createPoolManager();
  const before = await counts();
  for (let round = 0; round < 8; round += 1) {
    await Promise.all(
      certificates.map(async (cert) => {
        const lease = await pools.lease({ origin: origins.https, tls: { ca, cert, key } });
        await Promise.all(Array.from({ length: 4 }, () => lease.request({ method: 'GET', path: '/', headers })));
        lease.release();
      }),
    );
  }
  const after = await counts();
  const handshakes = after.handshakes - before.handshakes;
  console.log(
    `${handshakes} handshakes for 32 identities and 1,024 requests: ${(handshakes / 32).toFixed(2)} an identity, ` +
      `of which ${((after.full - before.full) / 32).toFixed(2)} without a resumed session.`,
  );
  await pools.close();
}

await server.stop();
