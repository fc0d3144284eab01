import { idAt, isObject, type Json, type JsonObject } from '../json.js';
import { type ApiAnswer, type ApiRequest, jsonAnswer } from '../http/answer.js';
import { type Collection, collections } from '../store.js';
import { readJson } from './body.js';
import { checkMeaning, checkPlugins, checkShape, type ConfContext } from './conf.js';
import { Refusal, refuse } from './refusal.js';

interface ValidationError {
  readonly resource_type: string;
  readonly index: number;
  readonly resource_id?: string;
  readonly error: string;
}

/**
 * Answers `POST /configs/validate`: every schema error of a whole configuration, and ids that stand twice. Missing
 * references, duplicate keys and unknown sections are not seen.
 */
export function validateConfigs(context: ConfContext, request: ApiRequest): ApiAnswer {
  if (request.method !== 'POST') throw refuse(404, 'not found');
  const body = readJson(request);
  if (!isObject(body)) throw refuse(400, 'missing configurations');
  const errors = collections.flatMap((collection) => {
    const items = body[collection];
    return Array.isArray(items) ? checkItems(context, collection, items as readonly Json[]) : [];
  });
  if (errors.length === 0) return jsonAnswer(200, {});
  return jsonAnswer(400, { error_msg: 'Configuration validation failed', errors });
}

function checkItems(context: ConfContext, collection: Collection, items: readonly Json[]): readonly ValidationError[] {
  const seen = new Set<string>();
  return items.flatMap((item, index) => {
    const conf = isObject(item) ? item : {};
    const id = idAt(conf, collection === 'consumers' ? 'username' : 'id');
    const error = problemOf(context, collection, id ?? '', item) ?? duplicate(collection, id, seen);
    if (id !== undefined) seen.add(id);
    return error === undefined
      ? []
      : [{ resource_type: collection, index, ...(id === undefined ? {} : { resource_id: id }), error }];
  });
}

function duplicate(collection: Collection, id: string | undefined, seen: ReadonlySet<string>): string | undefined {
  return id !== undefined && seen.has(id) ? `found duplicate id ${id} in ${collection}` : undefined;
}

function problemOf(context: ConfContext, collection: Collection, id: string, item: Json): string | undefined {
  if (!isObject(item)) return 'invalid configuration: wrong type: expected object';
  try {
    checkOne(context, collection, id, item);
    return undefined;
  } catch (error) {
    if (error instanceof Refusal) return error.reason;
    throw error;
  }
}

function checkOne(context: ConfContext, collection: Collection, id: string, conf: JsonObject): void {
  const isCredential = collection === 'consumers' && id === '' && (idAt(conf, 'id') ?? '').includes('/credentials/');
  const kind = isCredential ? 'credentials' : collection;
  const filled = checkShape(context, { collection: kind, id, conf });
  checkMeaning(kind, filled);
  checkPlugins(context, kind, filled);
}
