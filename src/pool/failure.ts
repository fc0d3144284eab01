import type { ErrorCode } from '../model/errors.js';

/** Why one attempt at a request came to no answer. */
export interface Failure {
  readonly code: ErrorCode;
  /** The cause in words: what stands behind method and URL. */
  readonly text: string;
  /** Under which name a retry of it is counted. */
  readonly reason: 'connect' | 'reset' | 'timeout';
  /** Whether it may go away by itself. */
  readonly transient: boolean;
  readonly cause?: unknown;
}

/** What OpenSSL and Node say of a server's certificate, in words that name the remedy. */
const certificateErrors: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: "the server's certificate is self-signed and not among the trusted ones",
  SELF_SIGNED_CERT_IN_CHAIN:
    "the server's certificate chain ends in a self-signed certificate that is not trusted (unknown CA)",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    "the server's certificate was issued by an unknown CA, or it sends no intermediate certificate",
  UNABLE_TO_GET_ISSUER_CERT: "the issuer of the server's certificate is not known (unknown CA)",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "the issuer of the server's certificate is not known (unknown CA)",
  CERT_HAS_EXPIRED: "the server's certificate has expired",
  CERT_NOT_YET_VALID: "the server's certificate is not valid yet",
  CERT_REVOKED: "the server's certificate was revoked",
  CERT_SIGNATURE_FAILURE: "the signature of the server's certificate is not that of the trusted CA of this name",
  INVALID_CA: "a CA in the server's certificate chain is none",
  INVALID_PURPOSE: "the server's certificate is not meant for a server",
  CERT_UNTRUSTED: "the server's certificate is not trusted",
  CERT_REJECTED: "the server's certificate is rejected",
  HOSTNAME_MISMATCH: "the server's certificate is for another host name",
  CERT_CHAIN_TOO_LONG: "the server's certificate chain is too long",
};

/** Alerts that a server sends about us, by the end of OpenSSL's code. */
const alerts: readonly (readonly [string, string])[] = [
  ['ALERT_CERTIFICATE_REQUIRED', 'the server demands a client certificate'],
  ['ALERT_CERTIFICATE_EXPIRED', 'the server refuses the client certificate: expired'],
  ['ALERT_CERTIFICATE_REVOKED', 'the server refuses the client certificate: revoked'],
  ['ALERT_CERTIFICATE_UNKNOWN', 'the server refuses the client certificate'],
  ['ALERT_UNSUPPORTED_CERTIFICATE', 'the server refuses the client certificate: not of a supported kind'],
  ['ALERT_BAD_CERTIFICATE', 'the server refuses the client certificate'],
  ['ALERT_UNKNOWN_CA', 'the server does not know the CA of the client certificate'],
  ['ALERT_DECRYPT_ERROR', 'the server cannot verify the client certificate'],
  ['ALERT_PROTOCOL_VERSION', 'the server does not speak this version of TLS'],
  ['UNSUPPORTED_PROTOCOL', 'the server speaks only a version of TLS that is too old'],
  ['ALERT_HANDSHAKE_FAILURE', 'the server refuses the handshake: no common cipher, or it demands a client certificate'],
  ['ALERT_ACCESS_DENIED', 'the server refuses the client certificate'],
  ['UNRECOGNIZED_NAME', 'the server does not know this server name'],
  ['WRONG_VERSION_NUMBER', 'the server does not speak TLS on this port (plain HTTP?)'],
  ['PACKET_LENGTH_TOO_LONG', 'the server does not speak TLS on this port (plain HTTP?)'],
  ['HTTP_REQUEST', 'the server does not speak TLS on this port (plain HTTP?)'],
];

/** Failures of the address lookup, the network or the peer, which a moment later may be gone. */
function connectFailure(error: Error): Failure {
  return { code: 'unreachable', text: describe(error), reason: 'connect', transient: true, cause: error };
}

/** Classifies the failure to open a connection. */
export function classifyConnect(error: Error, tls: boolean): Failure {
  const code = errorCode(error);
  if (code === 'ADC_CONNECT_TIMEOUT') return { ...connectFailure(error), reason: 'timeout' };
  const words = tls ? tlsWords(error, code) : undefined;
  if (words === undefined) return connectFailure(error);
  return { code: 'tls_handshake', text: words, reason: 'connect', transient: false, cause: error };
}

/** What is known of a request that failed on an open connection. */
export interface ExchangeFacts {
  readonly tls: boolean;
  /** Nothing was ever answered on the connection. */
  readonly fresh: boolean;
  readonly clientCertificate: boolean;
  /** The headers of the answer had come. */
  readonly headersRead: boolean;
  /** What went wrong on the connection before the request was said to have failed. */
  readonly first: Error | undefined;
}

/** Classifies the failure of a request on an open connection. */
export function classifyExchange(error: Error, connection: ExchangeFacts): Failure {
  // With TLS 1.3 a server judges the client's certificate after the client has finished, so its verdict arrives here.
  const first = connection.fresh && !connection.headersRead ? connection.first : undefined;
  const verdict = [error, first].find((one) => one !== undefined && errorCode(one).startsWith('ERR_SSL_'));
  const words = connection.tls && verdict !== undefined ? tlsWords(verdict, errorCode(verdict)) : undefined;
  if (words !== undefined)
    return { code: 'tls_handshake', text: words, reason: 'connect', transient: false, cause: verdict };
  const code = errorCode(error);
  const hint =
    connection.tls && connection.fresh && !connection.clientCertificate
      ? ' (right after the TLS handshake; the server may demand a client certificate)'
      : '';
  const text = `${describe(error, connection.headersRead)}${hint}`;
  return {
    code: 'unreachable',
    text,
    reason: 'reset',
    transient: !isLasting(error, code, connection.headersRead),
    cause: error,
  };
}

/** What an endpoint that speaks no HTTP/1.1, or says too much, will do the next time as well. */
function isLasting(error: Error, code: string, headersRead: boolean): boolean {
  // After the headers the parser's complaint is that the answer was cut short.
  if (error.name === 'HTTPParserError') return !headersRead;
  return code === 'UND_ERR_HEADERS_OVERFLOW' || code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE';
}

/** What undici says of a request that it will not send: a header's value or the path holds what HTTP forbids. */
export function isRefusedRequest(error: Error): boolean {
  const code = errorCode(error);
  return (
    code === 'UND_ERR_INVALID_ARG' || code === 'UND_ERR_NOT_SUPPORTED' || code === 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH'
  );
}

function tlsWords(error: Error, code: string): string | undefined {
  const certificate = certificateErrors[code];
  if (certificate !== undefined) return `TLS handshake failed: ${certificate} (${code})`;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return `TLS handshake failed: the server's certificate is for another host name (${altNames(error)})`;
  }
  const alert = alerts.find(([ending]) => code.endsWith(ending));
  if (alert !== undefined) return `TLS handshake failed: ${alert[1]} (${code})`;
  if (code.startsWith('ERR_SSL_') || code === 'EPROTO') return `TLS handshake failed: ${error.message.trim()}`;
  return undefined;
}

/** Whom a certificate is for, and who was asked for: Node's own words leave out the former for addresses. */
function altNames(error: Error): string {
  const { host, cert } = error as { host?: unknown; cert?: { subjectaltname?: unknown } };
  const named = cert?.subjectaltname;
  return typeof host === 'string' && typeof named === 'string' ? `${host} is none of ${named}` : error.message;
}

/** The words of an error; those of all addresses that were tried, where that is several. */
function describe(error: Error, headersRead = false): string {
  if (error instanceof AggregateError) {
    const each = error.errors.map((inner: unknown) => (inner instanceof Error ? inner.message : String(inner)));
    if (each.length > 0) return [...new Set(each)].join('; ');
  }
  const code = errorCode(error);
  if (code === 'ECONNRESET' && !error.message.includes('ECONNRESET')) return `connection reset (${error.message})`;
  if (code === 'UND_ERR_SOCKET') {
    const when = headersRead ? 'in the middle of its answer' : 'before it answered';
    return `connection closed by the server ${when} (${error.message})`;
  }
  return error.message || code || 'connection failed';
}

function errorCode(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}
