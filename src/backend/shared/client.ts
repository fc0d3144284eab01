import { isAscii } from 'node:buffer';
import { hash } from 'node:crypto';
import { AdcError, GatewayError, type ErrorCode, type GatewayFailure } from '../../model/errors.js';
import { isJsonObject, type Json, type JsonObject } from '../../model/json.js';
import type { Lease, PoolRequest, PoolResponse, PoolTarget } from '../../pool/pool.js';
import type { BackendOptions, Endpoint, Exchange } from '../backend.js';
import { redactJson, redactText, secretsIn } from '../../model/redaction.js';

/** One request to an Admin API. */
export interface AdminRequest {
  readonly method: PoolRequest['method'];
  /** Below the endpoint's base URL, with its query: `/apisix/admin/routes`. */
  readonly path: string;
  /** Serialised JSON. */
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** What an endpoint comes to: the same for all its jobs, so that who has many works it out once. */
export interface Address {
  readonly target: PoolTarget;
  /** What stands before every path. */
  readonly prefix: string;
  /** Names a gateway as one caller sees it, for what is remembered of it. Holds no token, no certificate and no key. */
  readonly key: string;
}

/**
 * Works out the address of an endpoint.
 *
 * @throws AdcError `usage` for a server that is no http(s) URL and for a token that no header can carry
 */
export function addressOf({ server, token, tls }: Endpoint): Address {
  const base = parseServer(server);
  // What undici would say of such a token later holds the token itself.
  if (!/^[\x20-\x7e]*$/.test(token)) {
    throw new AdcError('usage', 'the token holds characters that cannot be sent in a header (a line break, perhaps)');
  }
  return {
    target: { origin: base.origin, ...(tls === undefined ? {} : { tls }) },
    prefix: base.pathname.replace(/\/+$/, ''),
    key: hash('sha256', JSON.stringify([server, token, tls ?? null])),
  };
}

/** Requests to one endpoint, with its key, on one lease that is taken on first use. */
export interface AdminClient {
  readonly endpoint: Endpoint;
  readonly address: Address;
  /** The whole URL of a path, for messages. */
  url(path: string): string;
  /**
   * Sends a request and gives the answer, of whatever status.
   *
   * @throws GatewayError where there was none
   */
  send(request: AdminRequest): Promise<PoolResponse>;
  /**
   * Takes the lease, which {@link send} otherwise does: worth it before many requests at once.
   *
   * @throws AdcError as `Pools.lease`
   */
  open(): Promise<void>;
  /** From now on the job's signal cuts no request. */
  beginWriting(): void;
  /** Gives the lease back, and gives up what was not answered yet. Idempotent. */
  close(): void;
}

type ClientOptions = Pick<
  BackendOptions,
  'pools' | 'requestTimeout' | 'concurrency' | 'deadline' | 'signal' | 'headers' | 'onExchange'
>;

/**
 * Builds the client of an endpoint. Makes no request and opens no connection.
 *
 * @throws AdcError as {@link addressOf}, where the address is not given
 */
export function createClient(
  endpoint: Endpoint,
  options: ClientOptions,
  address: Address = addressOf(endpoint),
): AdminClient {
  const { target, prefix } = address;
  const url = (path: string): string => `${target.origin}${prefix}${path}`;
  const sharedHeaders = { ...options.headers, 'x-api-key': endpoint.token };
  let lease: Promise<Lease> | undefined;
  let held: Lease | undefined;
  let writing = false;
  let closed = false;

  const take = (): Promise<Lease> => {
    const { deadline, concurrency } = options;
    const signal = writing ? undefined : options.signal;
    lease ??= options.pools.lease(target, { signal, deadline, concurrency });
    return lease;
  };

  return {
    endpoint,
    address,
    url,
    async open() {
      held = await take();
    },
    send(request) {
      if (closed) {
        return Promise.reject(new AdcError('aborted', `${request.method} ${url(request.path)}: the job has ended`));
      }
      const wanted = poolRequest(request);
      const sent = held === undefined ? take().then((opened) => opened.request(wanted)) : held.request(wanted);
      return options.onExchange === undefined ? sent : told(sent, request, options.onExchange);
    },
    beginWriting() {
      writing = true;
      withLease((held) => held.shield());
    },
    close() {
      closed = true;
      withLease((held) => held.abandon());
    },
  };

  async function told(
    sent: Promise<PoolResponse>,
    request: AdminRequest,
    tell: (exchange: Exchange) => void,
  ): Promise<PoolResponse> {
    const started = performance.now();
    const facts = (): Pick<Exchange, 'method' | 'url' | 'took' | 'requestBody'> => ({
      method: request.method,
      url: url(request.path),
      took: performance.now() - started,
      ...(request.body === undefined ? {} : { requestBody: maskBody(request.body) }),
    });
    try {
      const response = await sent;
      const { status, attempts } = response;
      const responseBody = shorten(redactText(maskBody(textOf(response)), secretsSent(endpoint, request)));
      tell({ ...facts(), attempts, status, responseBody });
      return response;
    } catch (error) {
      tell({ ...facts(), attempts: 1, error: messageOf(error) });
      throw error;
    }
  }

  /** A lease that could not be had has nothing to do, and its user has seen the error. */
  function withLease(act: (held: Lease) => void): void {
    lease?.then(act, () => undefined);
  }

  function poolRequest(request: AdminRequest): PoolRequest {
    const { method, body, signal } = request;
    const headers =
      body === undefined && request.headers === undefined
        ? sharedHeaders
        : {
            ...sharedHeaders,
            ...(body === undefined ? {} : { 'content-type': 'application/json' }),
            ...request.headers,
          };
    return { method, path: prefix + request.path, headers, body, timeout: options.requestTimeout, signal };
  }
}

function parseServer(server: string): URL {
  let url: URL | undefined;
  try {
    url = new URL(server);
  } catch {
    url = undefined;
  }
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new AdcError('usage', `the server must be a URL such as http://127.0.0.1:9180, not "${server}"`);
  }
  return url;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The text of an answer's body. */
export function textOf(response: PoolResponse): string {
  const { body } = response;
  // What is ASCII, as nearly every answer is, takes no decoding.
  return isAscii(body)
    ? Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('latin1')
    : new TextDecoder().decode(body);
}

/** The JSON of a text, or undefined where it is none. */
export function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

const shownBytes = 1024;

/** The beginning of a text, on one line. */
function shorten(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > shownBytes ? `${line.slice(0, shownBytes)}… (${line.length} characters)` : line;
}

function maskBody(body: string): string {
  const json = parseJson(body);
  return json === undefined ? redactText(body) : JSON.stringify(redactJson(json));
}

/** What an Admin API says of a refusal: `error_msg`, else `message`; undefined where it speaks no JSON. */
function wordsOf(json: Json | undefined): { readonly field: string; readonly text: string } | undefined {
  if (!isJsonObject(json)) return undefined;
  for (const field of ['error_msg', 'message']) {
    const words = json[field];
    if (words === undefined) continue;
    const why = field === 'error_msg' && typeof json['description'] === 'string' ? ` (${json['description']})` : '';
    return { field, text: `${typeof words === 'string' ? words : JSON.stringify(words)}${why}` };
  }
  return undefined;
}

/**
 * The error for an answer that is no success: method, URL, status and the gateway's own words, with whatever secrets of
 * the request they repeat masked.
 */
export function refusal(client: AdminClient, request: AdminRequest, response: PoolResponse): GatewayError {
  const text = textOf(response);
  const json = parseJson(text);
  const verdict = json === undefined && response.status === 400 ? certificateVerdict(text) : undefined;
  if (verdict !== undefined) {
    const failure = failureOf(client, request, response, shorten(text));
    const message = `${failure.method} ${failure.url}: TLS handshake failed: ${verdict}`;
    return new GatewayError('tls_handshake', failure, { message });
  }
  const words = wordsOf(json);
  const isOther = json === undefined && (response.status === 404 || response.status < 400);
  if (isOther) return notAdminApi(client, request, response, 'the body is not JSON');
  const code: ErrorCode = response.status === 401 ? 'unauthorized' : 'refused';
  return failed(client, request, response, code, words?.text ?? shorten(text), words?.field === 'error_msg');
}

/**
 * nginx, and so every APISIX, finishes the handshake with a client whose certificate is missing or not accepted, and says
 * so in the page it then answers the request with.
 */
function certificateVerdict(page: string): string | undefined {
  if (page.includes('No required SSL certificate was sent')) {
    return 'the server demands a client certificate (it answered 400, "No required SSL certificate was sent")';
  }
  if (page.includes('The SSL certificate error')) {
    return 'the server refuses the client certificate (it answered 400, "The SSL certificate error")';
  }
  return undefined;
}

/** The error for an answer that no Admin API gives: HTML, truncated JSON, another shape. */
export function notAdminApi(
  client: AdminClient,
  request: AdminRequest,
  response: PoolResponse,
  what: string,
): GatewayError {
  const failure = failureOf(client, request, response, shorten(textOf(response)));
  const { method, url, status, statusText = '', gatewayText = '' } = failure;
  const body = gatewayText === '' ? 'the body is empty' : `response body: ${gatewayText}`;
  const message = `${method} ${url}, responded with status ${`${status ?? ''} ${statusText}`.trim()}, but ${what}: this is no answer of an Admin API; ${body}`;
  return new GatewayError('not_admin_api', failure, { message });
}

function failed(
  client: AdminClient,
  request: AdminRequest,
  response: PoolResponse,
  code: ErrorCode,
  words: string,
  isErrorMessage: boolean,
): GatewayError {
  const failure = failureOf(client, request, response, words);
  if (isErrorMessage || failure.gatewayText === undefined) return new GatewayError(code, failure);
  const status = `${failure.status ?? ''} ${failure.statusText ?? ''}`.trim();
  const message = `${failure.method} ${failure.url}, responded with status ${status}, response body: ${failure.gatewayText}`;
  return new GatewayError(code, failure, { message });
}

function failureOf(client: AdminClient, request: AdminRequest, response: PoolResponse, words: string): GatewayFailure {
  const masked = redactText(words, secretsSent(client.endpoint, request));
  return {
    method: request.method,
    url: client.url(request.path),
    status: response.status,
    statusText: response.statusText,
    headers: response.headers,
    ...(masked === '' ? {} : { gatewayText: masked }),
  };
}

/** What an answer may repeat of a request and nobody may read. */
function secretsSent({ token }: Endpoint, { body }: AdminRequest): readonly string[] {
  const sent = body === undefined ? undefined : parseJson(body);
  return [token, ...(sent === undefined ? [] : secretsIn(sent))];
}

/**
 * The JSON object of a successful answer.
 *
 * @throws GatewayError `unauthorized`, `refused` or `not_admin_api`
 */
export function jsonOf(client: AdminClient, request: AdminRequest, response: PoolResponse): JsonObject {
  if (response.status < 200 || response.status > 299) throw refusal(client, request, response);
  const json = parseJson(textOf(response));
  if (json === undefined) throw notAdminApi(client, request, response, 'the body is not JSON');
  if (!isJsonObject(json)) throw notAdminApi(client, request, response, 'the body is no JSON object');
  return json;
}
