import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { describe, expect, test } from 'vitest';
import { fixture, start } from '../../../test/fidelity/client.js';
import { startEmulator } from '../index.js';
import { parseListen } from './listener.js';

const ca = fixture('tls/ca.pem');
const server = { cert: fixture('tls/server.pem'), key: fixture('tls/server.key') };
const client = { cert: fixture('tls/client.pem'), key: fixture('tls/client.key') };

describe('addresses', () => {
  test.each([
    ['http://127.0.0.1:0', { scheme: 'http', host: '127.0.0.1', port: 0 }],
    ['https://[::1]:443', { scheme: 'https', host: '::1', port: 443 }],
    ['http://localhost', { scheme: 'http', host: 'localhost', port: 9180 }],
    ['unix:/run/a.sock', { scheme: 'unix', path: '/run/a.sock' }],
    ['unix:///run/a.sock', { scheme: 'unix', path: '/run/a.sock' }],
  ])('%s', (text, expected) => {
    expect(parseListen(text)).toEqual(expected);
  });

  test.each(['127.0.0.1', 'ftp://a:1', 'http://a:99999', 'unix:', 'http://a/b'])('%s is none', (text) => {
    expect(() => parseListen(text)).toThrow('not an address to listen on');
  });
});

describe('TLS', () => {
  const ask = async (url: string, adminKey: string, connect: object) => {
    const agent = new Agent({ connect });
    try {
      const answer = await request(`${url}/apisix/admin/routes`, {
        dispatcher: agent,
        headers: { 'x-api-key': adminKey },
      });
      await answer.body.dump();
      return answer.statusCode;
    } finally {
      await agent.destroy();
    }
  };

  test('serves those who trust its certificate', async () => {
    await using running = await start({ listen: 'https://127.0.0.1:0', tls: server });
    const { url, adminKey } = running.emulator;
    expect(url).toMatch(/^https:/);
    expect(await ask(url, adminKey, { ca })).toBe(200);
    await expect(ask(url, adminKey, {})).rejects.toThrow();
  });

  test('with an authority serves only those who show a certificate of it', async () => {
    await using running = await start({ listen: 'https://127.0.0.1:0', tls: { ...server, ca } });
    const { url, adminKey } = running.emulator;
    expect(await ask(url, adminKey, { ca, ...client })).toBe(200);
    await expect(ask(url, adminKey, { ca })).rejects.toThrow();
    expect(running.emulator.connections.opened).toBe(1);
  });

  test('closes over a connection that never spoke', async () => {
    await using running = await start({ listen: 'https://127.0.0.1:0', tls: server });
    const socket = connect(Number(new URL(running.emulator.url).port), '127.0.0.1');
    await once(socket, 'connect');
    socket.on('error', () => undefined);
    const closed = once(socket, 'close');
    await running.emulator.close();
    await closed;
  });

  test('needs https, and https needs it', async () => {
    await expect(startEmulator({ listen: 'https://127.0.0.1:0' })).rejects.toThrow('needs a certificate');
    await expect(startEmulator({ tls: server })).rejects.toThrow('needs https');
  });
});

describe('a unix socket', () => {
  test('is served, taken over when stale, and left alone when it is in use or no socket', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'adc-emulator-'));
    const path = join(directory, 'admin.sock');
    const agent = new Agent({ connect: { socketPath: path } });
    try {
      await using running = await start({ listen: `unix:${path}` });
      const { emulator } = running;
      expect(emulator.url).toBe(`unix:${path}`);
      const answer = await request('http://localhost/apisix/admin/routes', {
        dispatcher: agent,
        headers: { 'x-api-key': emulator.adminKey },
      });
      expect(await answer.body.json()).toEqual({ total: 0, list: [] });
      await expect(startEmulator({ listen: `unix:${path}` })).rejects.toThrow('EADDRINUSE');
      const file = join(directory, 'file');
      await writeFile(file, 'mine');
      await expect(startEmulator({ listen: `unix:${file}` })).rejects.toThrow('EADDRINUSE');
    } finally {
      await agent.destroy();
      await rm(directory, { recursive: true, force: true });
    }
  });
});
