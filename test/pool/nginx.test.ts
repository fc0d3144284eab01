import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { expect, onTestFinished, test as plainTest } from 'vitest';
import { openBackend } from '../../src/backend/registry.js';
import { createMemory } from '../../src/memory/store.js';
import type { PoolManagerOptions } from '../../src/pool/options.js';
import type { Lease, PoolResponse, TlsIdentity } from '../../src/pool/pool.js';
import { clientCertificates, deadPort, makePools, pem, poolReport, serve, sleep, text, until } from './support.js';

const fixtures = join(import.meta.dirname, 'fixtures');

function findNginx(): string | undefined {
  const places = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  return places
    .map((place) => join(place, 'nginx'))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

const nginx = findNginx();
if (nginx === undefined) {
  process.stderr.write('\n*** nginx is not installed: the tests of the pools with nginx are SKIPPED ***\n\n');
}
plainTest.runIf(process.env['ADC_REQUIRE_NGINX'] === '1')('nginx is installed', () => expect(nginx).toBeDefined());
// Workers are found by way of /proc.
const test = plainTest.skipIf(nginx === undefined || process.platform !== 'linux');

interface Nginx {
  readonly port: number;
  readonly origin: string;
  start(): Promise<void>;
  reload(): void;
  /** Kills all of it at once. */
  kill(): Promise<void>;
  workers(): readonly number[];
}

/** Starts an nginx of its own; `server` stands inside its server block. */
async function startNginx(server: string, tls = false): Promise<Nginx> {
  const directory = mkdtempSync(join(tmpdir(), 'adc-nginx-'));
  const port = await deadPort();
  const configuration = join(directory, 'nginx.conf');
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${directory}/${name};`)
    .join('\n');
  const listen = tls
    ? `listen 127.0.0.1:${port} ssl; ssl_certificate ${fixtures}/server.pem; ssl_certificate_key ${fixtures}/server.key;`
    : `listen 127.0.0.1:${port};`;
  writeFileSync(
    configuration,
    `daemon off; worker_processes 2; pid ${directory}/pid; error_log ${directory}/error.log;
     events { worker_connections 512; }
     http { access_log off; ${temporary} server { ${listen} ${server} } }`,
  );
  let master: ChildProcess | undefined;
  const workers = (): number[] => {
    const tasks = readFileSync(`/proc/${master?.pid}/task/${master?.pid}/children`, 'utf8').trim();
    return tasks === '' ? [] : tasks.split(' ').map(Number);
  };
  const kill = async (): Promise<void> => {
    if (master === undefined || master.exitCode !== null || master.signalCode !== null) return;
    const gone = once(master, 'exit');
    const children = workers();
    master.kill('SIGKILL');
    for (const child of children) process.kill(child, 'SIGKILL');
    await gone;
  };
  onTestFinished(async () => {
    await kill();
    rmSync(directory, { recursive: true, force: true });
  });
  const result: Nginx = {
    port,
    origin: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    start: async () => {
      master = spawn(nginx ?? '', ['-p', directory, '-c', configuration], { stdio: 'ignore' });
      while (!(await accepts(port))) await sleep(5);
    },
    reload: () => {
      execFileSync(nginx ?? '', ['-p', directory, '-c', configuration, '-s', 'reload'], { stdio: 'ignore' });
    },
    kill,
    workers,
  };
  await result.start();
  return result;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

async function leaseOf(server: Nginx, tls?: TlsIdentity, options: PoolManagerOptions = {}) {
  const pools = makePools(options);
  return { pools, lease: await pools.lease({ origin: server.origin, ...(tls && { tls }) }, { concurrency: 16 }) };
}

function putMany(lease: Lease, from: number, count: number): Promise<PoolResponse[]> {
  return Promise.all(
    Array.from({ length: count }, (_, index) =>
      lease.request({ method: 'PUT', path: `/${from + index}`, body: `{"id":"${from + index}"}` }),
    ),
  );
}

test('keepalive_timeout 1s: nothing is noticed of connections that nginx closes', async () => {
  const server = await startNginx('keepalive_timeout 1s; location / { return 200 "$request_method"; }');
  const { pools, lease } = await leaseOf(server);
  // Pauses around the second, where the race is.
  for (const pause of [0, 990, 1000, 1005, 1010]) {
    await sleep(pause);
    for (const answer of await putMany(lease, 0, 16)) expect(text(answer)).toBe('PUT');
  }
  expect(poolReport(pools).retried).toEqual({});
}, 20_000);

test('keepalive_requests 5: every fifth answer ends its connection, and no request is sent twice', async () => {
  const server = await startNginx('keepalive_requests 5; location / { return 200 "$connection_requests"; }');
  const { pools, lease } = await leaseOf(server);
  const answers = await putMany(lease, 0, 400);
  expect(answers.every((answer) => answer.status === 200 && answer.attempts === 1)).toBe(true);
  expect(new Set(answers.map(text))).toEqual(new Set(['1', '2', '3', '4', '5']));
  // Each of the 16 connections still open at the end may have answered up to four times.
  const fifths = answers.filter((answer) => text(answer) === '5').length;
  expect(fifths).toBeGreaterThanOrEqual((400 - 16 * 4) / 5);
  await expect.poll(() => poolReport(pools).closed['server']).toBe(fifths);
  const report = poolReport(pools);
  expect(report.retried).toEqual({});
  expect(report.staleRetries).toBe(0);
});

test('ssl_verify_client on: identities get through as themselves, and without one the words of nginx survive', async () => {
  const server = await startNginx(
    `ssl_verify_client on; ssl_client_certificate ${fixtures}/ca.pem; location / { return 200 "$ssl_client_s_dn"; }`,
    true,
  );
  const ca = pem('ca.pem');
  const key = pem('client.key');
  const certificates = clientCertificates().slice(0, 4);
  const pools = makePools();
  await Promise.all(
    certificates.map(async (cert, index) => {
      const lease = await pools.lease({ origin: server.origin, tls: { ca, cert, key } });
      for (const answer of await putMany(lease, 0, 20)) expect(text(answer)).toBe(`CN=client-0${index + 1}`);
    }),
  );
  expect(pools.report().pools).toHaveLength(4);
  const anonymous = await pools.lease({ origin: server.origin, tls: { ca } });
  const refused = await anonymous.request({ method: 'GET', path: '/' });
  expect(refused).toMatchObject({ status: 400, attempts: 1 });
  expect(text(refused)).toContain('No required SSL certificate was sent');

  const pinged = async (tls: TlsIdentity) => {
    const endpoint = { server: server.origin, token: 'the-key', tls };
    const backend = await openBackend('apisix', { endpoints: [endpoint], pools, memory: createMemory() });
    const [answer] = await backend.ping();
    backend.close();
    return answer?.error;
  };
  const missing = await pinged({ ca });
  expect(missing).toMatchObject({ code: 'tls_handshake' });
  expect(missing?.message).toMatch(/^GET https:.*: TLS handshake failed: the server demands a client certificate/);
  const foreign = await pinged({ ca, cert: pem('server-self-signed.pem'), key: pem('server.key') });
  expect(foreign).toMatchObject({ code: 'tls_handshake' });
  expect(foreign?.message).toContain('the server refuses the client certificate');
});

/** Keeps PUTs going until told to stop, while something is done to nginx. */
async function underLoad(disturb: (server: Nginx) => Promise<void>) {
  const arrived = new Map<string, number>();
  const backend = await serve((request, response) => {
    arrived.set(request.url ?? '', (arrived.get(request.url ?? '') ?? 0) + 1);
    setTimeout(() => response.end('done'), 3);
  });
  const server = await startNginx(`keepalive_requests 50; location / { proxy_pass ${backend.origin}; }`);
  const { pools, lease } = await leaseOf(server, undefined, { retries: 6 });
  const load = new AbortController();
  let sent = 0;
  const answers: PoolResponse[] = [];
  const running = Promise.all(
    Array.from({ length: 16 }, async () => {
      while (!load.signal.aborted) {
        const [answer] = await putMany(lease, (sent += 1), 1);
        if (answer) answers.push(answer);
      }
    }),
  );
  await until('there is load', () => answers.length > 100);
  await disturb(server);
  const before = answers.length;
  await until('it goes on', () => answers.length > before + 100);
  load.abort();
  await running;
  expect(answers).toHaveLength(sent);
  expect(answers.every((answer) => answer.status === 200)).toBe(true);
  // No PUT is lost; and one that arrived twice has been reported as doubtful.
  expect(arrived.size).toBe(sent);
  const twice = [...arrived.values()].filter((times) => times > 1).length;
  expect(answers.filter((answer) => answer.ambiguous).length).toBeGreaterThanOrEqual(twice);
  return poolReport(pools);
}

test('reloads under load are not noticed', async () => {
  await underLoad(async (server) => {
    for (let round = 0; round < 3; round += 1) {
      const old = server.workers();
      server.reload();
      await until('new workers run', () => server.workers().some((pid) => !old.includes(pid)));
    }
  });
});

test('killed workers under load: every request is carried out', async () => {
  await underLoad(async (server) => {
    for (let round = 0; round < 2; round += 1) {
      const old = server.workers();
      for (const pid of old) process.kill(pid, 'SIGKILL');
      await until('the master replaced them', () => server.workers().filter((pid) => !old.includes(pid)).length >= 2);
    }
  });
});

test('a killed nginx that is started again: every request is carried out', async () => {
  const report = await underLoad(async (server) => {
    await server.kill();
    await sleep(50);
    await server.start();
  });
  expect(report.retried['connect']).toBeGreaterThan(0);
});
