import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/model/json.js';
import { put, startTestServer, task } from '../server/support.js';
import { openLab, shop } from './lab.js';

/** One service that is fine, and a route the gateway refuses. */
const partlyBad: JsonObject = {
  services: [shop, { name: 'blog', routes: [{ name: 'bad', uris: ['/bad'], plugins: { 'no-such-plugin': {} } }] }],
};

describe.concurrent('a diff', () => {
  it('prints every change and every field, says in sum what a sync would do, and changes nothing', async (test) => {
    const lab = await openLab(test);
    await lab.given({ services: [shop, { name: 'gone' }] });
    lab.resetCounts();
    const upstream = { nodes: [{ host: '10.0.0.2', port: 80, weight: 1 }] };
    lab.shell.write(
      'adc.yaml',
      JSON.stringify({ services: [{ ...shop, upstream }], consumers: [{ username: 'ann' }] }),
    );
    const { status, stdout } = await lab.adc('diff');
    expect(status).toBe(0);
    expect(stdout.split('\n')).toEqual([
      '~ update service: "shop"',
      '    ~ upstream.nodes[0].host: "10.0.0.1" → "10.0.0.2"',
      '+ create consumer: "ann"',
      '- delete service: "gone"',
      'Summary: 1 will be created, 1 will be updated, 1 will be deleted',
      '',
    ]);
    expect(lab.writes()).toBe(0);
  });

  it('ends with 2 where it is asked to tell, with 1 where it could not know', async (test) => {
    const lab = await openLab(test);
    await lab.given({ services: [shop] });
    expect(await lab.adc('diff', '--exit-code')).toMatchObject({ status: 0 });
    lab.shell.write('adc.yaml', '{}');
    expect(await lab.adc('diff', '--exit-code')).toMatchObject({ status: 2 });
    lab.emulator.setFaults({ failRate: 1, failStatus: 403 });
    expect(await lab.adc('diff', '--exit-code')).toMatchObject({ status: 1, stdout: '' });
  });
});

describe.concurrent('a change that failed', () => {
  it.for(['0', '1', '2'])(
    'is never said to have succeeded (--verbose %s), and comes with method, URL and words',
    async (level, test) => {
      const lab = await openLab(test);
      lab.shell.write('adc.yaml', JSON.stringify(partlyBad));
      const { status, stdout, stderr } = await lab.adc('sync', '--verbose', level);
      expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
      const lines = stderr.split('\n').filter((line) => line.includes('"bad"') && !line.startsWith('+'));
      expect(lines.filter((line) => line.startsWith('✖'))).toEqual([
        expect.stringMatching(
          /^✖ create route: "bad" in service "blog": PUT http:\S+\/apisix\/admin\/routes\/\w+, responded with status 400 Bad Request, error_msg: unknown plugin \[no-such-plugin\]$/,
        ),
      ]);
      expect(stderr).not.toMatch(/✔[^\n]*"bad"|\n\s+at /);
      expect(stderr).toContain('Summary: 3 applied, 1 failed');
      expect(stderr).toContain('once the cause is removed');
    },
  );

  it('is listed under what failed and nowhere else, in a document of the command line and in an answer', async (test) => {
    const lab = await openLab(test);
    const server = await startTestServer();
    test.onTestFinished(() => server.close());
    lab.shell.write('adc.yaml', JSON.stringify(partlyBad));
    const { stdout } = await lab.adc('sync', '--output', 'json');
    const report = JSON.parse(stdout) as { results: readonly { resourceName: string; status: string }[] };
    // Two objects of the gateway are one resource: the service with its upstream.
    expect(report.results).toHaveLength(4);
    expect(Object.fromEntries(report.results.map(({ resourceName, status }) => [resourceName, status]))).toEqual({
      bad: 'failed',
      blog: 'applied',
      list: 'applied',
      shop: 'applied',
    });
    const { json } = await put(server.url, '/sync', task(lab.emulator.url, lab.emulator.adminKey, partlyBad));
    expect(json).toMatchObject({ status: 'partial_failure', failed_count: 1, success_count: json.success.length });
    expect(json.failed.map(({ event }: { event: JsonObject }) => event['resourceName'])).toEqual(['bad']);
    expect(json.success.map(({ event }: { event: JsonObject }) => event['resourceName'])).not.toContain('bad');
    expect(json.total_resources).toBe(json.success_count + json.failed_count);
  });
});

describe.concurrent('problems of files', () => {
  it('are summed up as what they are, and all of them told with line and column, in order', async (test) => {
    const lab = await openLab(test);
    lab.shell.write(
      'adc.yaml',
      'services:\n  - name: ${NAME}\n    prot: 80\n    upstream:\n      nodes: [{ host: a, port: 99999, weight: 1 }]\n  - name: a\n  - name: a\n',
    );
    const { status, stderr } = await lab.adc('lint');
    expect(status).toBe(1);
    const [first, ...rest] = stderr.trimEnd().split('\n');
    expect(first).toBe('Error: the configuration has 4 problems');
    expect(rest.map((line) => line.trim().split(': ')[0])).toEqual([
      'adc.yaml:2:11',
      'adc.yaml:3:5',
      'adc.yaml:5:32',
      'adc.yaml:7:5',
    ]);
    lab.shell.write('adc.yaml', 'services:\n  - name: ${NAME}\n');
    expect((await lab.adc('lint')).stderr).toMatch(
      /^Error: the configuration uses variables that are not set: 1 problem\n/,
    );
  });

  it('that are not there are one readable line', async (test) => {
    const lab = await openLab(test);
    for (const args of [
      ['lint'],
      ['sync', '-f', 'nowhere/*.yaml'],
      ['diff', '-f', 'nowhere.yaml'],
      ['dump', '-o', 'nowhere/a.yaml'],
    ]) {
      const { status, stdout, stderr } = await lab.adc(...args);
      expect({ args, status, stdout }).toEqual({ args, status: 1, stdout: '' });
      expect(stderr).toMatch(/^Error: .*\n(?: {2}.*\n)?$/);
    }
  });
});

it.concurrent('what a gateway finds wrong with a configuration is told all at once, by kind and name', async (test) => {
  const lab = await openLab(test);
  const bad = (name: string): JsonObject => ({ name, uris: ['/'], plugins: { 'no-such-plugin': {} } });
  lab.shell.write(
    'adc.yaml',
    JSON.stringify({ services: [{ ...shop, routes: [bad('one'), bad('two')] }], global_rules: { 'neither-this': {} } }),
  );
  const { status, stderr } = await lab.adc('validate');
  expect(status).toBe(1);
  expect(stderr).toContain('Configuration validation failed:');
  for (const name of ['routes, name="one"', 'routes, name="two"', 'neither-this']) expect(stderr).toContain(name);
  expect(lab.writes()).toBe(lab.emulator.requests.byMethod['POST'] ?? 0);
});

it.concurrent('what a standalone instance leaves out is a failure from the first line on, with its address', async (test) => {
  const lab = await openLab(test, { mode: 'standalone' });
  const bad = { name: 'bad', uris: ['/bad'], plugins: { 'proxy-rewrite': { method: 'NOPE' } } };
  lab.shell.write('adc.yaml', JSON.stringify({ services: [{ ...shop, routes: [bad] }] }));
  const { status, stderr } = await lab.adc('sync');
  expect(status).toBe(1);
  expect(stderr).toContain('(100%) applied, 1 failed');
  expect(stderr).toMatch(
    /✖ create route: "bad" in service "shop": PUT http:\S+\/apisix\/admin\/configs: .*proxy-rewrite/,
  );
  expect(stderr).toContain('Summary: 1 applied, 1 failed');
});
