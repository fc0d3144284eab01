import { readFileSync } from 'node:fs';
import type { Backend, Endpoint, Exchange } from '../backend/backend.js';
import { openBackend } from '../backend/registry.js';
import { noMemory } from '../memory/none.js';
import { AdcError } from '../model/errors.js';
import { poolOptionsFromEnv } from '../pool/options.js';
import type { Pools, TlsIdentity } from '../pool/pool.js';
import type { Context } from './context.js';
import type { ConnectionValues } from './options.js';
import { poolLines } from './pool-lines.js';

/** Below this many milliseconds a `--timeout` is more likely a mistake of units than meant. */
const suspiciousTimeout = 100;

/** A gateway that can be spoken to, and what is said with it. */
export interface Connection {
  readonly backend: Backend;
  readonly endpoints: readonly Endpoint[];
  readonly pools: Pools;
  /** Milliseconds since the epoch; absent without `--deadline`. */
  readonly deadline?: number;
}

/**
 * Connects, works, and gives the connection back however the work ends. At verbosity 2 says what the pools did.
 *
 * @throws AdcError as {@link connect} does, and what the work throws
 */
export async function withConnection<T>(
  values: ConnectionValues,
  context: Context,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  const connection = await connect(values, context);
  try {
    return await work(connection);
  } finally {
    connection.backend.close();
    const { terminal } = context;
    if (terminal.level === 2)
      for (const line of poolLines(connection.pools.report())) terminal.say(terminal.errorColors.dim(line), 2);
  }
}

/**
 * Builds the backend that the flags name. Makes no request.
 *
 * @throws AdcError `usage` for addresses, keys and combinations that cannot be meant; `file` and `tls_material` for
 *   certificates and keys; `unsupported` for a backend that is known but not there
 */
async function connect(values: ConnectionValues, context: Context): Promise<Connection> {
  const { terminal, env } = context;
  if (values.backend === 'api7ee') {
    throw new AdcError('unsupported', 'backend "api7ee" is not supported yet; apisix and apisix-standalone are');
  }
  const endpoints = await endpointsOf(values, context);
  if (values.timeout > 0 && values.timeout < suspiciousTimeout) {
    terminal.say(
      `${terminal.errorColors.yellow('Warning:')} --timeout is ${values.timeout} ms for each request; a bare number is milliseconds`,
    );
  }
  if (values.token === undefined || values.token === '') {
    terminal.say(
      `${terminal.errorColors.yellow('Warning:')} no admin key given; set ADC_TOKEN (or --token) if the gateway refuses`,
    );
  }
  if (values.tlsSkipVerify && endpoints.some((endpoint) => endpoint.server.startsWith('https:'))) {
    terminal.say(`${terminal.errorColors.yellow('Warning:')} the gateway's certificate is not verified`);
  }
  const deadline = values.deadline === undefined ? undefined : Date.now() + values.deadline;
  const pools = await context.openPools({
    ...poolOptionsFromEnv(env),
    connectionsPerPool: values.requestConcurrent,
    ...(values.poolRetries === undefined ? {} : { retries: values.poolRetries }),
    ...(values.poolConnectTimeout === undefined ? {} : { connectTimeout: values.poolConnectTimeout }),
  });
  const backend = await openBackend(values.backend, {
    endpoints,
    pools,
    memory: noMemory,
    requestTimeout: values.timeout,
    concurrency: values.requestConcurrent,
    signal: context.signal,
    ...(deadline === undefined ? {} : { deadline }),
    ...(terminal.level === 2
      ? { onExchange: (exchange: Exchange) => sayExchange(exchange, context), reportUnmanaged: true }
      : {}),
  });
  return { backend, endpoints, pools, ...(deadline === undefined ? {} : { deadline }) };
}

/** Pairs servers with tokens as the two lists stand: one each where the counts match, else the first for all. */
async function endpointsOf(values: ConnectionValues, context: Context): Promise<readonly Endpoint[]> {
  const standalone = values.backend === 'apisix-standalone';
  const servers = standalone ? splitList(values.server) : [values.server.trim()];
  if (servers.length === 0) throw new AdcError('usage', '--server is empty');
  const bases = servers.map((server) => checkServer(server, standalone));
  const tokens = standalone ? splitList(values.token ?? '') : [values.token ?? ''];
  for (const token of tokens) checkToken(token);
  if (tokens.length > 1 && tokens.length !== bases.length) {
    throw new AdcError('usage', `${tokens.length} tokens for ${bases.length} servers; give one for all or one each`);
  }
  const tls = await tlsOf(values, context);
  return bases.map((server, at) => ({
    server,
    token: (tokens.length === bases.length ? tokens[at] : tokens[0]) ?? '',
    ...(tls === undefined || server.startsWith('http:') ? {} : { tls }),
  }));
}

/** Paths are appended to it verbatim, so that it may have one of its own, but nothing after it. */
function checkServer(server: string, standalone: boolean): string {
  let url: URL;
  try {
    url = new URL(server);
  } catch {
    const several = !standalone && server.includes(',') ? '; only apisix-standalone takes several' : '';
    throw new AdcError('usage', `--server "${server}" is not a URL such as http://localhost:9180${several}`);
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new AdcError('usage', `--server "${server}" is neither http:// nor https://`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new AdcError(
      'usage',
      '--server holds a user name or password, which the Admin API does not use; the key goes into ADC_TOKEN',
    );
  }
  if (url.search !== '' || url.hash !== '') {
    throw new AdcError(
      'usage',
      `--server "${url.origin}${url.pathname}" has a query or a fragment; only a path can follow the host`,
    );
  }
  if (!standalone && server.includes(',')) {
    throw new AdcError('usage', `--server "${server}" holds a comma; only apisix-standalone takes several servers`);
  }
  return server.replace(/\/+$/, '');
}

/** A header cannot hold it, and a proxy might take it for another header. The message never shows the key. */
function checkToken(token: string): void {
  if (/[\r\n]/.test(token)) {
    throw new AdcError(
      'usage',
      'the admin key (--token, ADC_TOKEN) contains a line break; was it read from a file with one at its end?',
    );
  }
  if (/[^\u0021-\u007E]/.test(token)) {
    throw new AdcError(
      'usage',
      'the admin key (--token, ADC_TOKEN) contains white space or characters that a header cannot hold',
    );
  }
}

async function tlsOf(values: ConnectionValues, context: Context): Promise<TlsIdentity | undefined> {
  const { caCertFile, tlsClientCertFile, tlsClientKeyFile, tlsServerName } = values;
  if ((tlsClientCertFile === undefined) !== (tlsClientKeyFile === undefined)) {
    throw new AdcError(
      'tls_material',
      `TLS client certificate and key must be provided at the same time; ${
        tlsClientCertFile === undefined ? '--tls-client-cert-file' : '--tls-client-key-file'
      } is missing`,
    );
  }
  const passphrase = context.env['ADC_TLS_CLIENT_KEY_PASSPHRASE'];
  const identity: TlsIdentity = {
    ...(caCertFile === undefined ? {} : { ca: readPem('--ca-cert-file', caCertFile) }),
    ...(tlsClientCertFile === undefined ? {} : { cert: readPem('--tls-client-cert-file', tlsClientCertFile) }),
    ...(tlsClientKeyFile === undefined ? {} : { key: readPem('--tls-client-key-file', tlsClientKeyFile) }),
    ...(tlsClientKeyFile === undefined || !passphrase ? {} : { passphrase }),
    ...(tlsServerName === undefined ? {} : { serverName: tlsServerName }),
    ...(values.tlsSkipVerify ? { verify: false } : {}),
    ...(values.tlsSystemCa ? { systemCa: true } : {}),
  };
  if (Object.keys(identity).length === 0) return undefined;
  const { checkIdentity } = await import('../pool/identity.js');
  checkIdentity(identity, {
    caCert: `--ca-cert-file ${caCertFile ?? ''}`.trim(),
    tlsClientCert: `--tls-client-cert-file ${tlsClientCertFile ?? ''}`.trim(),
    tlsClientKey: `--tls-client-key-file ${tlsClientKeyFile ?? ''}`.trim(),
  });
  return identity;
}

function readPem(flag: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new AdcError(
      'file',
      `cannot read ${flag} ${path}: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

function splitList(text: string): readonly string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** One block for each exchange, the bodies as the backend redacted them. */
function sayExchange(exchange: Exchange, context: Context): void {
  const { dim } = context.terminal.errorColors;
  const outcome = exchange.status ?? exchange.error ?? 'no answer';
  const tries = exchange.attempts > 1 ? `, ${exchange.attempts} attempts` : '';
  const lines = [`${exchange.method} ${exchange.url} → ${outcome} (${exchange.took.toFixed(1)} ms${tries})`];
  if (exchange.requestBody !== undefined) lines.push(`  → ${exchange.requestBody}`);
  if (exchange.responseBody !== undefined) lines.push(`  ← ${exchange.responseBody}`);
  context.terminal.say(dim(lines.join('\n')), 2);
}
