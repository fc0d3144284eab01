import { type ApiAnswer, type ApiRequest, jsonAnswer } from '../http/answer.js';
import { collections } from '../store.js';
import { readJson } from './body.js';
import type { ConfContext } from './conf.js';
import { adminKinds } from './kinds.js';
import { refuse, Refusal } from './refusal.js';

const apiVersion = { 'x-api-version': 'v3' };

/** Answers `/schema/{kind}`, `/schema/plugins/{name}` and `/schema/validate/{kind}`. */
export function answerSchema(context: ConfContext, request: ApiRequest, segments: readonly string[]): ApiAnswer {
  const [name, inner] = segments;
  if (name === 'validate' && request.method === 'POST') return validateOne(context, request, inner ?? '');
  if (request.method !== 'GET') throw notFound(context, 'schema');
  if (name === 'plugins') return pluginSchema(context, request, inner ?? '');
  const collection = collections.find((known) => adminKinds[known].schema === name);
  const missing = collection === 'credentials' && !context.rules.hasCredentials;
  if (collection === undefined || collection === 'plugin_metadata' || missing) {
    throw new Refusal(400, { error_msg: `not found schema: ${name ?? ''}` }, apiVersion);
  }
  return jsonAnswer(200, context.core[collection], apiVersion);
}

function pluginSchema(context: ConfContext, request: ApiRequest, name: string): ApiAnswer {
  const subsystem = request.query.get('subsystem') ?? 'http';
  const definitions = subsystem === 'stream' ? context.streamPlugins : context.plugins;
  const definition = Object.hasOwn(definitions, name) ? definitions[name] : undefined;
  if (definition === undefined) throw unknownPlugin(context, name, subsystem);
  const type = request.query.get('schema_type');
  const schema =
    type === 'consumer'
      ? definition.consumer_schema
      : type === 'metadata'
        ? definition.metadata_schema
        : definition.schema;
  return jsonAnswer(200, schema ?? definition.schema, apiVersion);
}

function unknownPlugin(context: ConfContext, name: string, subsystem: string): Refusal {
  return context.rules.explainsRefusals
    ? new Refusal(404, { error_msg: `plugin not found in subsystem ${subsystem}` }, apiVersion)
    : new Refusal(400, { error_msg: `failed to load plugin ${name}` }, apiVersion);
}

/** Checks an object against the schema of its kind, and no further: neither its plugins nor what it refers to. */
function validateOne(context: ConfContext, request: ApiRequest, name: string): ApiAnswer {
  if (!context.rules.validatesSchemas) throw notFound(context, 'schema');
  const collection = collections.find((known) => known === name);
  if (collection === undefined || collection === 'plugin_metadata') throw notFound(context, name);
  const conf = readJson(request);
  if (conf === undefined) throw refuse(400, 'missing configurations');
  const checked = context.validator.check(context.core[collection], conf);
  if (!checked.ok) throw refuse(400, checked.error);
  return { status: 200, headers: { 'content-type': 'application/json' }, body: '' };
}

function notFound(context: ConfContext, name: string): Refusal {
  return refuse(404, context.rules.explainsRefusals ? `Unsupported resource type: ${name}` : 'not found');
}

/** Answers `/plugins/list`, `/plugins?all=true`, `/plugins/{name}` and `/plugins/reload`. */
export function answerPlugins(context: ConfContext, request: ApiRequest, segments: readonly string[]): ApiAnswer {
  const [name] = segments;
  if (request.method === 'PUT' && name === 'reload') {
    return { status: 200, headers: { 'content-type': 'application/json' }, body: 'done' };
  }
  if (request.method !== 'GET') throw refuse(404, 'not found');
  if (name === 'list') return jsonAnswer(200, byPriority(context));
  if (name !== undefined) return pluginSchema(context, request, name);
  if (request.query.get('all') !== 'true') return jsonAnswer(200, byPriority(context), apiVersion);
  const stream = request.query.get('subsystem') === 'stream';
  return jsonAnswer(200, stream ? context.streamPlugins : context.plugins, apiVersion);
}

function byPriority(context: ConfContext): readonly string[] {
  return Object.entries(context.plugins)
    .sort(([, a], [, b]) => (b.priority ?? 0) - (a.priority ?? 0))
    .map(([name]) => name);
}
