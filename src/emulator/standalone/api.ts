import { checkAccess, type Keys } from '../admin/access.js';
import { describeJsonError, maxBodySize } from '../admin/body.js';
import { Refusal, refuse } from '../admin/refusal.js';
import { adminPath, segmentsOf } from '../admin/target.js';
import { isObject, type JsonObject } from '../json.js';
import { jsonAnswer, type ApiAnswer, type ApiRequest } from '../http/answer.js';
import type { Api } from '../http/api-server.js';
import type { Rules } from '../versions.js';
import type { InstanceDocument } from './document.js';
import type { StandaloneRules } from './sections.js';

/** What the Admin API of one data plane instance is made of. */
export interface StandaloneApiOptions {
  readonly document: InstanceDocument;
  readonly rules: Rules;
  readonly standalone: StandaloneRules;
  readonly keys: Keys;
  /** The value of the `Server` header, or nothing to leave it out. */
  readonly serverHeader: string | undefined;
}

/** The longest document in bytes that an instance takes. Documents, unlike single objects, have no limit of the gateway's own. */
const maxDocumentSize = 256 * 1024 * 1024;

const json = { 'content-type': 'application/json' };

/** The Admin API of one data plane instance in API-driven standalone mode: one document, written whole. */
export function standaloneApi(options: StandaloneApiOptions): Api {
  return {
    maxBodySize: maxDocumentSize,
    workers: 1,
    serverHeader: options.serverHeader,
    kindOf: (path) => segmentsOf(path)?.[0] ?? 'other',
    answer: (request) => {
      try {
        return answer(request, options);
      } catch (error) {
        if (error instanceof Refusal) return error.toAnswer({});
        throw error;
      }
    },
  };
}

function answer(request: ApiRequest, options: StandaloneApiOptions): ApiAnswer {
  const { method } = request;
  const segments = segmentsOf(request.path);
  if (segments?.length === 0 && method === 'HEAD' && request.path.startsWith(adminPath)) return empty(200);
  if (segments?.[0] !== 'configs' || segments.length > 2) return notFound;
  if (segments[1] !== undefined) {
    if (segments[1] !== 'validate' || method !== 'POST' || !options.standalone.validates) return notFound;
    checkAccess(request, options.keys, options.rules);
    return validate(request, options);
  }
  if (method !== 'GET' && method !== 'PUT' && !(method === 'HEAD' && options.standalone.digests)) return notFound;
  checkAccess(request, options.keys, options.rules);
  if (method === 'PUT') return put(request, options);
  const { document } = options;
  return { status: 200, headers: { ...json, ...stampOf(document) }, body: method === 'HEAD' ? '' : document.text };
}

function put(request: ApiRequest, { document, standalone }: StandaloneApiOptions): ApiAnswer {
  const digest = request.header('x-digest');
  if (standalone.digests && (digest === undefined || digest === '')) throw refuse(400, 'missing digest header');
  if (digest !== undefined && document.stamp?.digest === digest) return { status: 204, headers: {}, body: '' };
  document.replace(readDocument(request), digest ?? '');
  return { status: 202, headers: { ...json, ...stampOf(document) }, body: '' };
}

function validate(request: ApiRequest, { document }: StandaloneApiOptions): ApiAnswer {
  if (request.bodySize > maxBodySize) {
    throw refuse(
      400,
      `invalid request body: request size ${request.bodySize} is greater than the maximum size ${maxBodySize} allowed`,
    );
  }
  const errors = document.validate(readDocument(request));
  if (errors.length === 0) return jsonAnswer(200, {});
  return jsonAnswer(400, { error_msg: 'Configuration validation failed', errors });
}

function readDocument(request: ApiRequest): JsonObject {
  if (request.body === undefined) throw refuse(413, 'the document is longer than an instance takes');
  const text = request.body.toString('utf8');
  if (text === '') throw refuse(400, 'invalid request body: empty request body');
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw refuse(400, `invalid request body: ${describeJsonError(text)}`);
  }
  if (!isObject(body)) throw refuse(400, 'invalid request body: not an object');
  return body;
}

function stampOf({ stamp }: InstanceDocument): Readonly<Record<string, string>> {
  return stamp === undefined ? {} : { 'x-digest': stamp.digest, 'x-last-modified': String(stamp.lastModified) };
}

function empty(status: number): ApiAnswer {
  return { status, headers: json, body: '' };
}

const notFound: ApiAnswer = {
  status: 404,
  headers: { 'content-type': 'text/html; charset=utf-8' },
  body: [
    '<html>',
    '<head><title>404 Not Found</title></head>',
    '<body>',
    '<center><h1>404 Not Found</h1></center>',
    '<hr><center>openresty</center>',
    '<p><em>Powered by <a href="https://apisix.apache.org/">APISIX</a>.</em></p></body>',
    '</html>',
    '',
  ].join('\r\n'),
};
