import { type Json, type JsonObject } from '../json.js';
import { Replica } from '../replica.js';
import type { Span } from '../faults.js';
import { type ApiAnswer, type ApiRequest, jsonAnswer, notFoundPage } from '../http/answer.js';
import type { Entry } from '../store.js';
import { checkAccess, type Keys } from './access.js';
import { readJson } from './body.js';
import {
  type ConfContext,
  checkIdentity,
  checkMeaning,
  checkPlugins,
  checkReferences,
  checkShape,
  checkUnique,
} from './conf.js';
import { checkUnused } from './in-use.js';
import { adminKinds } from './kinds.js';
import { listBody } from './lists.js';
import { patchValue } from './patch.js';
import { answerPlugins, answerSchema } from './schemas.js';
import { validateConfigs } from './validate.js';
import { keyNotFound, Refusal, refuse } from './refusal.js';
import { Serializer } from './serializer.js';
import { adminPath, keyOf, segmentsOf, type Target, targetOf } from './target.js';
import type { Visibility } from './visibility.js';

/** What an Admin API is made of. */
export interface AdminApiOptions extends ConfContext {
  readonly keys: Keys;
  readonly visibility: Visibility;
  /** Stream routes are served. */
  readonly streamMode: boolean;
  readonly workers: number;
  readonly lag: Span;
  /** A clock in milliseconds that never goes back. */
  readonly now: () => number;
}

interface Worker {
  readonly replica: Replica;
  readonly serializer: Serializer;
}

type ObjectTarget = Extract<Target, { type: 'object' }>;
type CollectionTarget = Extract<Target, { type: 'collection' }>;
type KindTarget = ObjectTarget | CollectionTarget;

const methods = ['GET', 'PUT', 'POST', 'DELETE', 'PATCH'];
const apiVersion = { 'x-api-version': 'v3' };

/** The Admin API of a gateway that keeps its configuration in etcd. */
export class AdminApi {
  readonly #options: AdminApiOptions;
  readonly #workers: readonly Worker[];

  constructor(options: AdminApiOptions) {
    this.#options = options;
    this.#workers = Array.from({ length: options.workers }, (_, index) => ({
      replica: new Replica(options.store, options.lag, options.now),
      serializer: new Serializer(options.store, options.visibility, index),
    }));
  }

  /** Answers a request as one of the workers does. */
  answer(request: ApiRequest, worker: number): ApiAnswer {
    const chosen = this.#workers[worker % this.#workers.length];
    const segments = segmentsOf(request.path);
    if (request.method === 'HEAD' && request.path === adminPath) return jsonAnswer(200, '');
    if (segments === undefined || segments.length === 0 || !methods.includes(request.method) || chosen === undefined) {
      return notFoundPage('openresty');
    }
    try {
      checkAccess(request, this.#options.keys, this.#options.rules);
      return this.#route(request, targetOf(segments, this.#options.rules), chosen);
    } catch (error) {
      if (error instanceof Refusal) return error.toAnswer(error.headers);
      throw error;
    }
  }

  #route(request: ApiRequest, target: Target, worker: Worker): ApiAnswer {
    switch (target.type) {
      case 'unknown':
        throw this.#unknown(target.name);
      case 'schema':
        return answerSchema(this.#options, request, target.segments);
      case 'plugins':
        return answerPlugins(this.#options, request, target.segments);
      case 'validate':
        return validateConfigs(this.#options, request);
      case 'collection':
      case 'object':
        return this.#serveVersioned(request, target, worker);
      default:
        return target;
    }
  }

  /** A kind's own answers name the version of the API; what comes before a kind is reached does not. */
  #serveVersioned(request: ApiRequest, target: KindTarget, worker: Worker): ApiAnswer {
    const body = request.method === 'GET' || request.method === 'DELETE' ? undefined : readJson(request);
    try {
      return this.#serve(request, target, body, worker);
    } catch (error) {
      if (error instanceof Refusal) return error.toAnswer(apiVersion);
      throw error;
    }
  }

  #serve(request: ApiRequest, target: KindTarget, body: Json | undefined, worker: Worker): ApiAnswer {
    const { collection } = target;
    const { word, unsupported } = adminKinds[collection];
    if (collection === 'stream_routes' && !this.#options.streamMode) {
      throw refuse(this.#options.rules.streamDisabledStatus, 'stream mode is disabled, can not add stream routes');
    }
    if (unsupported.includes(request.method))
      throw refuse(405, `not supported \`${request.method}\` method for ${word}`);
    if (target.type === 'collection') {
      if (request.method === 'GET') {
        const { store, rules } = this.#options;
        const { within } = target;
        return ok(200, listBody(store, worker.serializer, rules, { collection, within, query: request.query }));
      }
      if (request.method === 'POST') return this.#create(target, body, worker);
      if (request.method === 'PUT' && collection === 'consumers') return this.#putConsumer(body, worker);
      if (request.method === 'PUT') return this.#putById(target, body, worker);
      throw refuse(400, `missing ${word} id`);
    }
    switch (request.method) {
      case 'GET':
        return ok(200, worker.serializer.object(this.#find(target)));
      case 'DELETE':
        return this.#delete(target, request.query.get('force') === 'true', worker);
      case 'PATCH':
        return this.#patch(target, body, worker);
      case 'POST':
        throw refuse(400, `wrong ${word} id, do not need it`);
      default:
        return this.#write(target, body, worker);
    }
  }

  #create(target: CollectionTarget, body: Json | undefined, worker: Worker): ApiAnswer {
    const id = String(this.#options.store.revision + 1).padStart(20, '0');
    return this.#write({ type: 'object', collection: target.collection, id, rest: [] }, body, worker);
  }

  #putConsumer(body: Json | undefined, worker: Worker): ApiAnswer {
    const username =
      typeof body === 'object' && body !== null && 'username' in body && typeof body.username === 'string'
        ? body.username
        : '';
    return this.#write({ type: 'object', collection: 'consumers', id: username, rest: [] }, body, worker);
  }

  #putById(target: CollectionTarget, body: Json | undefined, worker: Worker): ApiAnswer {
    const id = typeof body === 'object' && body !== null && 'id' in body ? body.id : undefined;
    if (body === undefined) throw refuse(400, 'missing configurations');
    if (typeof id !== 'string' && typeof id !== 'number') {
      throw refuse(400, `missing ${adminKinds[target.collection].word} id`);
    }
    return this.#write({ type: 'object', collection: target.collection, id: String(id), rest: [] }, body, worker);
  }

  #write(target: ObjectTarget, body: Json | undefined, worker: Worker): ApiAnswer {
    const { rules, store, visibility } = this.#options;
    const { collection, id } = target;
    const conf = checkIdentity(rules, collection, id, body);
    const filled = this.#check({ ...target, id }, conf, worker);
    const before = store.get(collection, id);
    const kept = rules.storesDefaults ? filled : conf;
    const value = collection === 'plugin_metadata' ? kept : stamp(kept, before, this.#seconds());
    const entry = store.put(collection, id, value);
    return this.#written(before === undefined ? 201 : 200, entry, visibility);
  }

  #check(target: ObjectTarget, conf: JsonObject, worker: Worker): JsonObject {
    const { collection, id } = target;
    const shaped = checkShape(this.#options, { collection, id, conf });
    if (collection === 'consumers' && conf['username'] !== id) throw refuse(400, 'wrong username');
    if (collection === 'credentials' && this.#options.store.get('consumers', ownerOf(id)) === undefined) {
      throw refuse(404, 'consumer not found');
    }
    checkMeaning(collection, shaped);
    checkReferences(this.#options, collection, shaped);
    const filled = checkPlugins(this.#options, collection, shaped);
    checkUnique(this.#options, worker.replica, { collection, id, conf });
    return filled;
  }

  #patch(target: ObjectTarget, body: Json | undefined, worker: Worker): ApiAnswer {
    if (body === undefined) throw refuse(400, 'missing configurations');
    const { store, visibility } = this.#options;
    const before = this.#find(target);
    const { create_time: _created, update_time: _updated, ...bare } = before.value;
    const conf = patchValue(bare, target.rest, body);
    const named = checkIdentity(this.#options.rules, target.collection, target.id, conf);
    const filled = this.#check(target, named, worker);
    const kept = this.#options.rules.storesDefaults ? filled : named;
    const entry = store.put(target.collection, target.id, stamp(kept, before, this.#seconds()));
    return this.#written(200, entry, visibility);
  }

  #delete(target: ObjectTarget, force: boolean, worker: Worker): ApiAnswer {
    const { store, rules } = this.#options;
    const { collection, id } = target;
    if (!(force && rules.forces)) checkUnused(collection, id, worker.replica, rules);
    if (store.delete(collection, id) === undefined) throw keyNotFound();
    if (collection === 'consumers') this.#deleteCredentials(id);
    return ok(200, JSON.stringify({ deleted: '1', key: keyOf(collection, id) }));
  }

  #deleteCredentials(username: string): void {
    const { store } = this.#options;
    for (const orphan of store.entriesWithin('credentials', username)) store.delete('credentials', orphan.id);
  }

  #find(target: ObjectTarget): Entry {
    const found = this.#options.store.get(target.collection, target.id);
    if (found === undefined) throw keyNotFound();
    return found;
  }

  #written(status: number, entry: Entry, visibility: Visibility): ApiAnswer {
    return ok(status, JSON.stringify({ key: keyOf(entry.collection, entry.id), value: visibility.written(entry) }));
  }

  #unknown(name: string): Refusal {
    return refuse(404, this.#options.rules.explainsRefusals ? `Unsupported resource type: ${name}` : 'not found');
  }

  #seconds(): number {
    return Math.floor(Date.now() / 1000);
  }
}

function ok(status: number, body: string | Buffer): ApiAnswer {
  return { status, headers: { 'content-type': 'application/json', ...apiVersion }, body };
}

function ownerOf(credential: string): string {
  return credential.slice(0, credential.indexOf('/'));
}

function stamp(value: JsonObject, before: Entry | undefined, now: number): JsonObject {
  return {
    ...value,
    create_time: value['create_time'] ?? before?.value['create_time'] ?? now,
    update_time: value['update_time'] ?? now,
  };
}
