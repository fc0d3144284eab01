import { BlockList, isIP } from 'node:net';
import { AdcError } from '../model/errors.js';

/** A proxy that connections go through. */
export interface Proxy {
  /** Scheme, host and port; what reports show. */
  readonly origin: string;
  readonly protocol: 'http:' | 'https:';
  readonly host: string;
  readonly port: number;
  /** The value of `Proxy-Authorization`, where the proxy's URL holds a user. */
  readonly authorization?: string;
}

/** Variables by name. */
export type ProxyEnv = Readonly<Record<string, string | undefined>>;

/**
 * Finds the proxy for a URL in `https_proxy`, `http_proxy` and `no_proxy`, or their upper-case forms; of two, the
 * lower-case one wins, as it does in curl.
 *
 * @throws AdcError `usage` where the variable holds no http(s) URL.
 */
export function findProxy(target: URL, env: ProxyEnv): Proxy | undefined {
  const name = target.protocol === 'https:' ? 'https_proxy' : 'http_proxy';
  const variable = env[name] === undefined ? name.toUpperCase() : name;
  const value = env[variable]?.trim();
  if (!value || excluded(target, env['no_proxy'] ?? env['NO_PROXY'] ?? '')) return undefined;
  const text = value.includes('://') ? value : `http://${value}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // The value is not shown: it may hold a password.
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new AdcError('usage', `${variable}: expected the URL of an http or https proxy`);
  }
  const user = url.username
    ? Buffer.from(`${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`).toString('base64')
    : undefined;
  return {
    origin: url.origin,
    protocol: url.protocol,
    host: bareHost(url.hostname),
    port: portOf(url),
    ...(user !== undefined && { authorization: `Basic ${user}` }),
  };
}

/** The port of a URL, its scheme's where it names none. */
export function portOf(url: URL): number {
  return url.port ? Number(url.port) : url.protocol === 'https:' ? 443 : 80;
}

/** A host name as sockets take it: an IPv6 address without brackets. */
export function bareHost(hostname: string): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
}

/**
 * The rules of `NO_PROXY` as curl has them (curl(1), "--noproxy"): a list separated by commas or blanks; `*` alone is
 * everything; a name stands for itself and all below it, with or without a leading dot; an address for itself or, with
 * `/n`, for its network. Beyond curl, `:port` behind an entry limits it to that port.
 */
function excluded(target: URL, list: string): boolean {
  const host = withoutDot(bareHost(target.hostname).toLowerCase());
  const port = portOf(target);
  const entries = list.split(/[\s,]+/).filter((entry) => entry !== '');
  if (entries.length === 1 && entries[0] === '*') return true;
  return entries.some((entry) => {
    const { name, only } = splitPort(entry.toLowerCase());
    if (only !== undefined && only !== port) return false;
    if (name.includes('/')) return inNetwork(host, name);
    const suffix = withoutDot(name.replace(/^\./, ''));
    return suffix !== '' && (host === suffix || (!isAddress(host) && host.endsWith(`.${suffix}`)));
  });
}

function withoutDot(name: string): string {
  return name.endsWith('.') ? name.slice(0, -1) : name;
}

function splitPort(entry: string): { readonly name: string; readonly only?: number } {
  const bracketed = /^\[([^\]]+)\](?::(\d+))?$/.exec(entry) ?? /^([^:]+):(\d+)$/.exec(entry);
  if (bracketed === null) return { name: entry };
  const [, name = '', only] = bracketed;
  return only === undefined ? { name } : { name, only: Number(only) };
}

function isAddress(host: string): boolean {
  return isIP(host) !== 0;
}

/** CIDR notation, either family. */
function inNetwork(host: string, network: string): boolean {
  const [base = '', length = ''] = network.split('/');
  const family = isIP(base);
  if (family === 0 || family !== isIP(host) || !/^\d{1,3}$/.test(length)) return false;
  const bits = Number(length);
  if (bits > (family === 4 ? 32 : 128)) return false;
  const list = new BlockList();
  list.addSubnet(base, bits, family === 4 ? 'ipv4' : 'ipv6');
  return list.check(host, family === 4 ? 'ipv4' : 'ipv6');
}
