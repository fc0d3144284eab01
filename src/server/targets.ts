import type { Endpoint } from '../backend/backend.js';
import { AdcError } from '../model/errors.js';
import type { JsonPath } from '../model/json.js';
import { checkIdentity } from '../pool/identity.js';
import type { TlsIdentity } from '../pool/pool.js';
import type { JobOptions, RequestIssue, RequestTarget } from './requests.js';

type Holder = Pick<RequestTarget, 'caCert' | 'tlsClientCert' | 'tlsClientKey' | 'tlsServerName' | 'tlsSkipVerify'>;

/** The endpoints of a request, or what is wrong with their certificates and keys. */
export function endpointsOf(opts: JobOptions): readonly Endpoint[] | readonly RequestIssue[] {
  const issues: RequestIssue[] = [];
  const identityAt = (at: JsonPath, holder: Holder): TlsIdentity | undefined => {
    const identity = identityOf(holder);
    if (identity !== undefined) issues.push(...identityIssues(at, identity));
    return identity;
  };
  const common = identityAt([], opts);
  const endpoints =
    opts.targets === undefined
      ? serversOf(opts).map(({ server, token }) => endpointOf(server, token, common))
      : opts.targets.map((target, index) => {
          const own = hasIdentity(target) ? identityAt(['targets', index], withDefaults(target, opts)) : common;
          return endpointOf(target.server, target.token ?? opts.token ?? '', own);
        });
  return issues.length > 0 ? issues : endpoints;
}

/** Tells endpoints from issues. */
export function areIssues(found: readonly Endpoint[] | readonly RequestIssue[]): found is readonly RequestIssue[] {
  return found.some((entry) => 'path' in entry);
}

/** The tokens and private keys of a request: what must not be seen again in an answer or in the log. */
export function credentialsOf(opts: JobOptions): readonly string[] {
  const holders = [opts, ...(opts.targets ?? [])];
  const tokens = holders.flatMap(({ token }) => (token === undefined ? [] : [token, ...token.split(',')]));
  const keys = holders.flatMap(({ tlsClientKey }) => (tlsClientKey === undefined ? [] : [tlsClientKey.trim()]));
  return [...new Set([...tokens.map((token) => token.trim()), ...keys])].filter((text) => text !== '');
}

/**
 * Reads `--allow-target` values and gives the function that tells whether a gateway may be named.
 *
 * @throws AdcError `usage` for a value that is none
 */
export function targetRule(values: readonly string[] | undefined): (server: string) => boolean {
  if (values === undefined || values.length === 0) return () => true;
  const rules = values.map(parseRule);
  return (server) => {
    const url = new URL(server);
    return rules.some((rule) => rule(url));
  };
}

function parseRule(value: string): (url: URL) => boolean {
  const hasScheme = value.includes('://');
  // A host of a URL cannot begin with "*.", so the domain below is parsed in its place.
  const domain = /^(?:https?:\/\/)?\*\./.test(value);
  const text = (hasScheme ? value : `http://${value}`).replace('://*.', '://');
  const rule = URL.canParse(text) ? new URL(text) : undefined;
  const plain =
    rule !== undefined && `${rule.username}${rule.password}${rule.search}${rule.hash}` === '' && rule.pathname === '/';
  if (
    rule === undefined ||
    !plain ||
    rule.hostname === '' ||
    (rule.protocol !== 'http:' && rule.protocol !== 'https:')
  ) {
    throw new AdcError('usage', `--allow-target "${value}": must be an origin, a host, host:port or *.domain`);
  }
  // The port as written: URL drops one that is the scheme's own, which for a rule without scheme is no rule at all.
  const port = /:(\d+)\/?$/.exec(value)?.[1];
  return (url) => {
    const urlPort = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
    const rulePort = hasScheme && port === undefined ? (rule.protocol === 'https:' ? '443' : '80') : port;
    if (hasScheme && url.protocol !== rule.protocol) return false;
    if (rulePort !== undefined && rulePort !== urlPort) return false;
    return domain ? url.hostname.endsWith(`.${rule.hostname}`) : url.hostname === rule.hostname;
  };
}

function serversOf(opts: JobOptions): readonly { readonly server: string; readonly token: string }[] {
  const servers = typeof opts.server === 'string' ? [opts.server] : (opts.server ?? []);
  const token = opts.token ?? '';
  if (opts.backend !== 'apisix-standalone') return servers.map((server) => ({ server, token }));
  const tokens = token.split(',').map((part) => part.trim());
  const first = tokens[0] ?? token;
  return servers.map((server, index) => ({
    server,
    token: tokens.length === servers.length ? (tokens[index] ?? first) : first,
  }));
}

function endpointOf(server: string, token: string, tls: TlsIdentity | undefined): Endpoint {
  const base = server.replace(/\/+$/, '');
  return tls === undefined || base.startsWith('http:') ? { server: base, token } : { server: base, token, tls };
}

function hasIdentity(holder: Holder): boolean {
  const { caCert, tlsClientCert, tlsClientKey, tlsServerName, tlsSkipVerify } = holder;
  return [caCert, tlsClientCert, tlsClientKey, tlsServerName, tlsSkipVerify].some((field) => field !== undefined);
}

/** Certificate and key stay together: a target's own certificate is never paired with the key around it. */
function withDefaults(target: Holder, around: Holder): Holder {
  const pair = target.tlsClientCert === undefined ? around : target;
  return {
    caCert: target.caCert ?? around.caCert,
    tlsClientCert: pair.tlsClientCert,
    tlsClientKey: pair.tlsClientKey,
    tlsServerName: target.tlsServerName,
    tlsSkipVerify: target.tlsSkipVerify ?? around.tlsSkipVerify,
  };
}

function identityOf(holder: Holder): TlsIdentity | undefined {
  if (!hasIdentity(holder)) return undefined;
  const { caCert, tlsClientCert, tlsClientKey, tlsServerName, tlsSkipVerify } = holder;
  return {
    ...(caCert === undefined ? {} : { ca: caCert }),
    ...(tlsClientCert === undefined ? {} : { cert: tlsClientCert }),
    ...(tlsClientKey === undefined ? {} : { key: tlsClientKey }),
    ...(tlsServerName === undefined ? {} : { serverName: tlsServerName }),
    verify: tlsSkipVerify !== true,
  };
}

function identityIssues(at: JsonPath, identity: TlsIdentity): RequestIssue[] {
  try {
    checkIdentity(identity);
    return [];
  } catch (error) {
    if (!(error instanceof AdcError)) throw error;
    return error.problems.map(({ path = [], message }) => ({
      path: ['task', 'opts', ...at, ...path],
      // The path names the field. A text that begins with "tlsClientKey:" reads like a secret, and would be masked as one.
      message: message.replace(`${path.join('.')}: `, ''),
    }));
  }
}
