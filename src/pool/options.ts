import { AdcError } from '../model/errors.js';

/** How the pools of a process behave. Every time is in milliseconds; everything has a default. */
export interface PoolManagerOptions {
  /** The most connections one pool has open at a time. Default 256. */
  readonly connectionsPerPool?: number;
  /** The most pools the process has at a time. Default 64. */
  readonly poolsMax?: number;
  /**
   * How long a connection may idle before it is closed, minus a jitter of up to a fifth. Default 45,000: APISIX closes
   * idle connections after 60 s. A shorter `Keep-Alive: timeout=` of the server, or a server seen to close earlier, wins.
   */
  readonly idleTimeout?: number;
  /** After what age a connection takes no further request, minus a jitter of up to a fifth. Default 300,000. */
  readonly maxAge?: number;
  /** How many idle connections a pool always keeps; more only as lately needed. Default 16. */
  readonly idleKept?: number;
  /** How far back the highest concurrency is looked for that decides how many idle connections are kept. Default 10,000. */
  readonly idleWindow?: number;
  /** The most requests that wait in one pool, and the most leases that wait for a pool. Default 10,000. */
  readonly queueLength?: number;
  /** The longest wait in a queue without progress. Default 30,000. */
  readonly queueWait?: number;
  /** The most retries of one request; that of a stale connection is not counted. Default 3. */
  readonly retries?: number;
  /** The longest first wait before a retry; it doubles with each, and the wait is drawn evenly from 0 up to it. Default 100. */
  readonly retryBase?: number;
  /** The longest wait before a retry that is reached by doubling. Default 2,000. */
  readonly retryCap?: number;
  /** The longest `Retry-After` that is waited for; an answer that asks for more is handed on. Default 10,000. */
  readonly retryAfterCap?: number;
  /** How many connection failures in a row open the breaker, provided that they span `breakerSpan`. Default 5. */
  readonly breakerFailures?: number;
  /** The shortest run of failures, in time, that opens the breaker: a gateway that restarts is not given up. Default 1,000. */
  readonly breakerSpan?: number;
  /** How long the breaker stays open before the first probe; doubles with each failed one. Default 1,000. */
  readonly breakerWait?: number;
  /** The longest time between two probes. Default 30,000. */
  readonly breakerWaitMax?: number;
  /** For opening a connection: address lookup, TCP, proxy and TLS together. Default 10,000. */
  readonly connectTimeout?: number;
  /** From a request's first byte to its answer's headers, where the request's own timeout is longer. Default 60,000. */
  readonly headersTimeout?: number;
  /** Between two parts of an answer's body, where the request's own timeout is longer. Default 60,000. */
  readonly bodyTimeout?: number;
  /** The largest answer body in bytes. Default 1 GiB. */
  readonly bodyMax?: number;
  /**
   * Where `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` (or their lower-case forms, which win) are looked for. Default:
   * nowhere, so that a library reads no environment behind its caller's back; {@link poolOptionsFromEnv} sets it.
   */
  readonly proxyEnv?: Readonly<Record<string, string | undefined>>;
  /** Draws a number in [0, 1) for every jitter. Default `Math.random`. */
  readonly random?: () => number;
}

/** The options with every default filled in. */
export type PoolSettings = Required<PoolManagerOptions>;

/** What holds where nothing is said. */
export const poolDefaults: PoolSettings = {
  connectionsPerPool: 256,
  poolsMax: 64,
  idleTimeout: 45_000,
  maxAge: 300_000,
  idleKept: 16,
  idleWindow: 10_000,
  queueLength: 10_000,
  queueWait: 30_000,
  retries: 3,
  retryBase: 100,
  retryCap: 2_000,
  retryAfterCap: 10_000,
  breakerFailures: 5,
  breakerSpan: 1_000,
  breakerWait: 1_000,
  breakerWaitMax: 30_000,
  connectTimeout: 10_000,
  headersTimeout: 60_000,
  bodyTimeout: 60_000,
  bodyMax: 1024 ** 3,
  proxyEnv: {},
  random: Math.random,
};

/** The least value of each number; what is not named here may be 0. */
const atLeastOne: ReadonlySet<string> = new Set([
  'connectionsPerPool',
  'poolsMax',
  'idleTimeout',
  'maxAge',
  'idleWindow',
  'breakerFailures',
  'connectTimeout',
  'headersTimeout',
  'bodyTimeout',
  'bodyMax',
]);

/**
 * Fills in the defaults.
 *
 * @throws AdcError `usage` naming every option that is not a whole number in its range.
 */
export function resolveOptions(options: PoolManagerOptions): PoolSettings {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const settings: PoolSettings = { ...poolDefaults, ...given };
  const problems = Object.entries(settings).flatMap(([name, value]) => {
    if (typeof value !== 'number') return [];
    const least = atLeastOne.has(name) ? 1 : 0;
    if (Number.isSafeInteger(value) && value >= least) return [];
    return [{ message: `pool option ${name}: expected a whole number of at least ${least}, got ${value}` }];
  });
  if (problems.length > 0) {
    throw new AdcError('usage', problems.map((problem) => problem.message).join('; '), { problems });
  }
  return settings;
}

/** The environment variables that set an option, and the least value each takes. */
const variables = [
  { variable: 'ADC_INGRESS_FREE_SOCKET_TIMEOUT', option: 'idleTimeout', what: 'milliseconds' },
  { variable: 'ADC_INGRESS_TLS_AGENT_POOL_MAX', option: 'poolsMax', what: 'pools' },
] as const;

/**
 * Reads the options that come from the environment: `ADC_INGRESS_FREE_SOCKET_TIMEOUT` (ms, `idleTimeout`),
 * `ADC_INGRESS_TLS_AGENT_POOL_MAX` (`poolsMax`), and the proxies. An empty variable counts as absent.
 *
 * @throws AdcError `usage` naming every variable whose value cannot be used.
 */
export function poolOptionsFromEnv(env: Readonly<Record<string, string | undefined>>): PoolManagerOptions {
  const set = variables.flatMap((row) => {
    const text = env[row.variable]?.trim();
    return text ? [{ ...row, text }] : [];
  });
  const problems = set
    .filter(({ text }) => !/^\d{1,15}$/.test(text) || Number(text) < 1)
    .map(({ variable, what, text }) => ({
      message: `${variable}: expected a whole number of ${what} of at least 1, got "${text}"`,
    }));
  if (problems.length > 0) {
    throw new AdcError('usage', problems.map((problem) => problem.message).join('; '), { problems });
  }
  return { ...Object.fromEntries(set.map(({ option, text }) => [option, Number(text)])), proxyEnv: env };
}
