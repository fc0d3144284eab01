import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test as it, type TestContext } from 'vitest';
import { openShell } from './shell.js';

/** A gateway gone wrong: how it answers, and what a person must read. */
interface BadGateway {
  readonly name: string;
  readonly answer: RequestListener;
  /** In the one line that says what went wrong. */
  readonly says: readonly RegExp[];
  readonly flags?: readonly string[];
}

const listPath = /\/apisix\/admin\//;

function answering(status: number, body: string, headers: Readonly<Record<string, string>> = {}): RequestListener {
  return (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json', server: 'APISIX/3.18.0', ...headers });
    response.end(body);
  };
}

const html = '<html><head><title>Welcome</title></head><body><h1>It works!</h1></body></html>';

const badGateways: readonly BadGateway[] = [
  {
    name: 'HTML',
    answer: answering(200, html, { 'content-type': 'text/html', server: 'nginx' }),
    says: [/not an Admin API|no Admin API|HTML/i],
  },
  {
    name: 'truncated JSON',
    answer: answering(200, '{"total":1,"list":[{"key":"/apisix/rou'),
    says: [listPath, /JSON/],
  },
  { name: 'JSON of another shape', answer: answering(200, '{"hello":"world"}'), says: [listPath] },
  { name: 'JSON null', answer: answering(200, 'null'), says: [listPath] },
  {
    name: '401',
    answer: answering(401, '{"error_msg":"failed to check token","description":"wrong apikey"}'),
    says: [/401/, /failed to check token/],
  },
  {
    name: '403',
    answer: answering(403, '{"error_msg":"forbidden by a policy"}'),
    says: [/403/, /forbidden by a policy/],
  },
  { name: '404', answer: answering(404, html, { 'content-type': 'text/html', server: 'nginx' }), says: [/404/] },
  { name: '429', answer: answering(429, '{"error_msg":"slow down"}'), says: [/429/, /slow down/] },
  {
    name: '500',
    answer: answering(500, '{"error_msg":"etcd is not available"}'),
    says: [/500/, /etcd is not available/],
  },
  { name: '502', answer: answering(502, html, { 'content-type': 'text/html', server: 'nginx' }), says: [/502/] },
  {
    name: 'nothing',
    answer: () => undefined,
    says: [listPath, /timed? ?out|no answer/i],
    flags: ['--timeout', '200ms'],
  },
  {
    name: 'a reset',
    answer: (request) => request.socket.resetAndDestroy(),
    says: [listPath, /ECONNRESET|reset|closed/i],
  },
  {
    name: 'half an answer and then nothing',
    answer: (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('{"total":');
    },
    says: [listPath, /timed? ?out/i],
    flags: ['--timeout', '200ms'],
  },
];

async function serve(answer: RequestListener, test: TestContext) {
  const methods: string[] = [];
  const server = createServer((request, response) => {
    methods.push(request.method ?? '');
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  test.onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, methods };
}

describe.concurrent('a gateway that answers', () => {
  it.for(badGateways)(
    '$name is told in one line, and nothing is written',
    async ({ answer, says, flags = [] }, test) => {
      const { url, methods } = await serve(answer, test);
      const shell = openShell(test).with({ ADC_SERVER: url, ADC_TOKEN: 'the-secret-key' });
      shell.write('adc.yaml', 'services: []\n');

      const { status, stdout, stderr } = await shell.adc(['sync', '--pool-retries', '1', ...flags]);
      expect(status).toBe(1);
      expect(stdout).toBe('');
      const lines = stderr.trimEnd().split('\n');
      expect(lines).toHaveLength(1);
      expect(lines[0]).toMatch(/^Error: /);
      expect(lines[0]?.length).toBeLessThan(600);
      for (const pattern of says) expect(stderr).toMatch(pattern);
      expect(stderr).not.toMatch(/\n {4}at |the-secret-key/);
      expect(methods.filter((method) => !['GET', 'HEAD'].includes(method))).toEqual([]);
    },
  );

  it('nowhere is told by ping: refused', async (test) => {
    const { adc } = openShell(test);
    const { status, stderr } = await adc([
      'ping',
      '--server',
      'http://127.0.0.1:1',
      '--token',
      'k',
      '--pool-retries',
      '0',
    ]);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^Unable to connect to the "apisix" backend\. .*ECONNREFUSED 127\.0\.0\.1:1/);
  });

  it('in clear where TLS is expected is told by ping: TLS', async (test) => {
    const { url } = await serve(answering(200, '{}'), test);
    const server = url.replace('http:', 'https:');
    const { status, stderr } = await openShell(test).adc([
      'ping',
      '--server',
      server,
      '--token',
      'k',
      '--pool-retries',
      '0',
    ]);
    expect(status).toBe(1);
    expect(stderr).toMatch(/TLS|SSL/);
  });

  it('a refusal of the key is told by ping in its own words', async (test) => {
    const { url } = await serve(
      answering(401, '{"error_msg":"failed to check token","description":"wrong apikey"}'),
      test,
    );
    const { status, stderr } = await openShell(test).adc(['ping', '--server', url, '--token', 'bad']);
    expect(status).toBe(1);
    expect(stderr).toContain('failed to check token');
    expect(stderr).toContain('wrong apikey');
  });

  it.for([200, 404])('a page of HTML with status %d is told by ping: not an Admin API', async (answered, test) => {
    const { url } = await serve(answering(answered, html, { 'content-type': 'text/html', server: 'nginx' }), test);
    const { status, stderr } = await openShell(test).adc(['ping', '--server', url, '--token', 'k']);
    expect(status).toBe(1);
    expect(stderr).toContain('this is no answer of an Admin API');
  });
});
