import { describe, expect, it } from 'vitest';
import { put, send, startTestServer, task } from '../server/support.js';
import { openLab } from './lab.js';

describe.concurrent('the command in a process of its own', () => {
  it.for([
    ['an unknown command', ['snyc'], /^error: unknown command 'snyc'/],
    ['an unknown option', ['sync', '--sever', 'x'], /^error: unknown option '--sever'/],
    ['an argument too many', ['lint', 'adc.yaml'], /too many arguments for 'lint'/],
    ['a backend that is none', ['ping', '--backend', 'x'], /Allowed choices are apisix, api7ee, apisix-standalone/],
    ['a type that is none', ['dump', '--include-resource-type', 'routes'], /Allowed choices are/],
    [
      'both type filters',
      ['diff', '--include-resource-type', 'ssl', '--exclude-resource-type', 'ssl'],
      /cannot be used with option/,
    ],
    [
      'a concurrency that is no number',
      ['sync', '--request-concurrent', 'x'],
      /argument 'x' is invalid. Not an integer/,
    ],
    ['a duration that is none', ['ping', '--timeout', 'abc'], /argument 'abc' is invalid. Not a duration/],
    ['a duration without a unit that exists', ['ping', '--timeout', '5 parsecs'], /Not a duration/],
    ['a negative duration', ['ping', '--timeout', '-5s'], /Not a duration/],
    ['a certificate that is not there', ['ping', '--ca-cert-file', 'no.pem'], /CA certificate file does not exist/],
    ['a server that is no address', ['ping', '--server', 'nonsense'], /not a URL/],
    ['a selector that is none', ['dump', '--label-selector', 'team'], /team/],
  ] as const)('refuses %s in one line, without a stack', async ([, args, words], test) => {
    const lab = await openLab(test);
    lab.shell.write('adc.yaml', '{}');
    const { status, stdout, stderr } = await lab.shell.adc(args);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(words);
    expect(stderr).not.toMatch(/\n\s+at |TypeError/);
    expect(lab.emulator.requests.total).toBe(0);
  });

  it('names the variable that holds what it refuses', async (test) => {
    const lab = await openLab(test);
    for (const [name, value] of [
      ['ADC_BACKEND', 'zzz'],
      ['ADC_TLS_SKIP_VERIFY', 'maybe'],
      ['ADC_CA_CERT_FILE', 'nowhere.pem'],
    ] as const) {
      const { status, stderr } = await lab.adcWith({ [name]: value }, 'ping');
      expect({ name, status, stderr }).toMatchObject({
        status: 1,
        stderr: expect.stringContaining(`from env '${name}'`),
      });
    }
  });

  it('warns of a timeout that looks like a mistake of units', async (test) => {
    const lab = await openLab(test);
    expect((await lab.adc('ping', '--timeout', '99')).stderr).toContain('a bare number is milliseconds');
    expect((await lab.adc('ping', '--timeout', '10000')).stderr).toBe('');
  });
});

describe.concurrent('ping', () => {
  it('reaches standalone instances, each with its key, and names one that refuses it', async (test) => {
    const lab = await openLab(test, { mode: 'standalone', instances: 2 });
    const { status, stdout, stderr } = await lab.adc('ping');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    for (const url of lab.emulator.urls) expect(stdout).toContain(url);
    const refused = await lab.adc('ping', '--token', `${lab.emulator.adminKey},another`);
    expect(refused).toMatchObject({ status: 1 });
    expect(refused.stderr).toContain(lab.emulator.urls[1]);
    expect(refused.stderr).not.toContain(`${lab.emulator.urls[0]}/`);
  });

  it('tells a refused key from a refused connection', async (test) => {
    const lab = await openLab(test);
    expect((await lab.adc('ping', '--token', 'wrong-key')).stderr).toMatch(/GET http:\S+, responded with status 401/);
    const nobody = await lab.adc('ping', '--server', 'http://127.0.0.1:1', '--pool-retries', '0');
    expect(nobody.stderr).toContain('connect ECONNREFUSED 127.0.0.1:1');
  });
});

describe.concurrent('a body that is no JSON', () => {
  it('is answered in JSON, with the place and without a stack or what was in it', async (test) => {
    const server = await startTestServer();
    test.onTestFinished(() => server.close());
    for (const path of ['/sync', '/validate']) {
      const { status, headers, text, json } = await send('PUT', server.url, path, {
        body: '{"task": {"token": "planted"',
      });
      expect([path, status, headers['content-type']]).toEqual([path, 400, 'application/json']);
      expect(json.message).toMatch(/JSON/);
      expect(text).not.toMatch(/planted|<html|at \w+ \(/);
    }
  });
});

describe.concurrent('a request to the server', () => {
  it('is filled with the defaults and the numbers that a file is', async (test) => {
    const lab = await openLab(test);
    const server = await startTestServer();
    test.onTestFinished(() => server.close());
    const config = { services: [{ name: 's', upstream: { nodes: [{ host: 'a', port: '80', weight: '2' }] } }] };
    const reply = await put(server.url, '/sync', task(lab.emulator.url, lab.emulator.adminKey, config));
    expect(reply.json).toMatchObject({ status: 'success' });
    const { list } = (await lab.admin('GET', 'upstreams')) as { list?: readonly { value: object }[] };
    expect(list?.[0]?.value).toMatchObject({
      type: 'roundrobin',
      scheme: 'http',
      pass_host: 'pass',
      nodes: [{ host: 'a', port: 80, weight: 2, priority: 0 }],
    });
  });
});
