import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/model/json.js';
import { startGroup } from '../backend-standalone/group.js';
import { keepAlive, put, send, startTestServer, task } from '../server/support.js';
import { openLab, shop } from './lab.js';

/** Services that all have a route of the same name. */
const namesakes = (count: number): JsonObject => ({
  services: Array.from({ length: count }, (_, index) => ({
    name: `service ${index}`,
    routes: [{ name: 'same', uris: [`/${index}`] }],
  })),
});

describe('a sync of many resources of one name', () => {
  it('says as many lines as there are resources, and sends each once', async (test) => {
    const said = async (count: number): Promise<{ readonly lines: number; readonly bytes: number }> => {
      const lab = await openLab(test);
      lab.shell.write('adc.yaml', JSON.stringify(namesakes(count)));
      const { status, stderr } = await lab.adc('sync', '--verbose', '2');
      expect(status).toBe(0);
      expect(lab.writes()).toBe(2 * count);
      return { lines: stderr.split('\n').length, bytes: stderr.length };
    };
    const [few, many] = [await said(40), await said(800)];
    // Twenty times as many resources, and what is said of a sync of any size.
    expect(many.lines).toBeLessThan(20 * few.lines);
    expect(many.bytes).toBeLessThan(21 * few.bytes);
  });

  it('logs one line in the server, however many they are, and nothing of what was sent', async (test) => {
    const lab = await openLab(test);
    const server = await startTestServer();
    test.onTestFinished(() => server.close());
    for (const count of [1, 200]) {
      server.lines.splice(0);
      const reply = await put(server.url, '/sync', task(lab.emulator.url, lab.emulator.adminKey, namesakes(count)));
      expect(reply.json.status).toBe('success');
      expect(server.lines).toHaveLength(1);
      expect(server.lines.join('').length).toBeLessThan(1_000);
    }
  });
});

describe('a write that fails', () => {
  it.for([400, 401, 403, 404, 409, 413])('with %i is not sent again', async (failStatus, test) => {
    const lab = await openLab(test);
    lab.shell.write('adc.yaml', JSON.stringify({ services: [{ name: 'only' }] }));
    lab.emulator.setFaults({ failRate: 1, failStatus, methods: ['PUT'] });
    const { status, stderr } = await lab.adc('sync');
    expect(status).toBe(1);
    expect(stderr).toContain(`responded with status ${failStatus}`);
    expect(lab.writes()).toBe(1);
  });

  it('because nobody answers is not sent again', async (test) => {
    const lab = await openLab(test);
    lab.shell.write('adc.yaml', JSON.stringify({ services: [{ name: 'only' }] }));
    lab.emulator.setFaults({ hangRate: 1, methods: ['PUT'] });
    const { status, stderr } = await lab.adc('sync', '--timeout', '2s');
    expect(status).toBe(1);
    expect(stderr).toMatch(/Request "PUT http:\S+" timed out after 2000ms/);
    expect(lab.writes()).toBe(1);
  });

  it('because the key is refused is the last of many', async (test) => {
    const lab = await openLab(test);
    const services = Array.from({ length: 100 }, (_, index) => ({ name: `s${index}` }));
    lab.shell.write('adc.yaml', JSON.stringify({ services }));
    lab.emulator.setFaults({ failRate: 1, failStatus: 401, methods: ['PUT'] });
    expect(await lab.adc('sync', '--request-concurrent', '4')).toMatchObject({ status: 1 });
    expect(lab.writes()).toBeLessThanOrEqual(8);
  });
});

describe('reading', () => {
  it('asks for each list once, and for the credentials of many consumers through ten connections', async (test) => {
    const lab = await openLab(test);
    await lab.given({ consumers: Array.from({ length: 300 }, (_, index) => ({ username: `user${index}` })) });
    const before = lab.emulator.connections;
    const { byKind } = lab.emulator.requests;
    expect(await lab.adc('dump', '-o', 'dump.yaml')).toMatchObject({ status: 0 });
    expect(lab.emulator.connections.opened - before.opened).toBeLessThanOrEqual(10);
    for (const [kind, methods] of Object.entries(lab.emulator.requests.byKind)) {
      const count = (methods['GET'] ?? 0) - (byKind[kind]?.['GET'] ?? 0);
      expect([kind, count]).toEqual([kind, kind === 'consumers' ? 301 : 1]);
    }
  });

  it('a server that repeats itself opens no connection after the first sync', async (test) => {
    const lab = await openLab(test);
    const server = await startTestServer();
    const agent = keepAlive(1);
    test.onTestFinished(async () => {
      agent.destroy();
      await server.close();
    });
    const body = JSON.stringify(task(lab.emulator.url, lab.emulator.adminKey, namesakes(50)));
    const sync = async (): Promise<void> => {
      expect((await send('PUT', server.url, '/sync', { body, agent })).json.status).toBe('success');
    };
    await sync();
    const { opened } = lab.emulator.connections;
    for (let round = 0; round < 30; round += 1) await sync();
    expect(lab.emulator.connections.opened).toBe(opened);
    expect(lab.writes()).toBe(100);
  });
});

it('sixteen standalone instances are sent the document once, and an answer does not grow with them or with it', async (test) => {
  const group = await startGroup({ instances: 16 });
  const server = await startTestServer();
  test.onTestFinished(async () => {
    await server.close();
    await server.pools.close(0);
    await group.close();
  });
  const routes = Array.from({ length: 200 }, (_, index) => ({ name: `r${index}`, uris: [`/${index}`] }));
  const opts = { backend: 'apisix-standalone', server: group.emulator.urls, cacheKey: 'group' };
  const config = { services: [{ ...shop, routes }] };
  const body = task('', group.emulator.adminKey, config, opts);
  const first = await put(server.url, '/sync', body);
  expect(first.json).toMatchObject({ status: 'success', success_count: 201 });
  // An event for each resource and a line for each instance, and none of them twice.
  expect(first.text.length).toBeLessThan(201 * 300 + 16 * 200);
  expect(group.emulator.requests.byMethod['PUT']).toBe(16);
  for (let round = 0; round < 3; round += 1) {
    const { text, json } = await put(server.url, '/sync', body);
    expect(json).toMatchObject({ status: 'success', total_resources: 0 });
    expect(text.length).toBeLessThan(16 * 200);
  }
  expect(group.emulator.requests.byMethod['PUT']).toBe(16);
});
