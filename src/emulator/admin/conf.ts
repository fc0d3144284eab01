import { idAt, isObject, type Json, type JsonObject, objectAt } from '../json.js';
import type { PluginDefinition, PluginDefinitions } from '../plugins.js';
import { credentialKeys, referencesOf } from '../references.js';
import type { Replica } from '../replica.js';
import type { Schema } from '../schema/schema.js';
import { secretSchema } from '../schema/secret.js';
import type { Validator } from '../schema/validator.js';
import type { Collection, Store } from '../store.js';
import type { Rules } from '../versions.js';
import { certificateProblem } from './certificates.js';
import { adminKinds } from './kinds.js';
import { refuse, Refusal } from './refusal.js';

/** What configurations are checked with. */
export interface ConfContext {
  readonly rules: Rules;
  readonly store: Store;
  readonly validator: Validator;
  readonly plugins: PluginDefinitions;
  /** The plugins of stream routes. */
  readonly streamPlugins: PluginDefinitions;
  readonly core: Readonly<Record<Exclude<Collection, 'plugin_metadata'>, Schema>>;
}

/** A configuration on its way into the store. */
export interface Candidate {
  readonly collection: Collection;
  /** The id from the path. */
  readonly id: string;
  readonly conf: JsonObject;
}

/**
 * Checks a configuration against its schema and those of its plugins: everything but what it refers to.
 *
 * @returns the configuration with every default filled in
 * @throws Refusal (400) with the first thing that is wrong.
 */
export function checkShape(context: ConfContext, candidate: Candidate): JsonObject {
  const { collection, id, conf } = candidate;
  if (collection === 'plugin_metadata') return checkMetadata(context, id, conf);
  if (collection === 'routes') checkExclusive(conf);
  const checked = context.validator.check(schemaOf(context, collection, id), conf);
  if (!checked.ok) throw refuse(400, `invalid configuration: ${checked.error}`);
  return isObject(checked.value) ? checked.value : conf;
}

function schemaOf(context: ConfContext, collection: Exclude<Collection, 'plugin_metadata'>, id: string): Schema {
  if (collection !== 'secrets') return context.core[collection];
  const manager = id.slice(0, id.indexOf('/'));
  const schema = secretSchema(context.rules, manager);
  if (schema === undefined) throw refuse(400, `invalid secret manager: ${manager}`);
  return schema;
}

/** Checks the plugins of a configuration and fills in their defaults. */
export function checkPlugins(context: ConfContext, collection: Collection, conf: JsonObject): JsonObject {
  const { plugins } = conf;
  if (!isObject(plugins)) return conf;
  const forConsumers = collection === 'consumers' || collection === 'credentials';
  const filled = Object.entries(plugins).map(([name, settings]): [string, Json] => {
    const definition = definitionOf(context, collection, name);
    const prefix = forConsumers ? 'invalid plugins configuration: ' : '';
    if (definition === undefined) throw refuse(400, `${prefix}unknown plugin [${name}]`);
    if (!isObject(settings)) {
      throw refuse(400, `${prefix}invalid plugin conf ${JSON.stringify(settings)} for plugin [${name}]`);
    }
    const schema = (forConsumers ? definition.consumer_schema : undefined) ?? definition.schema;
    const checked = context.validator.check(schema, settings);
    if (!checked.ok) {
      throw refuse(400, `${prefix}failed to check the configuration of plugin ${name} err: ${checked.error}`);
    }
    return [name, checked.value];
  });
  if (
    collection === 'consumers' &&
    context.rules.requiresAuthPlugin &&
    !filled.some(([name]) => isAuth(context, name))
  ) {
    throw refuse(400, 'require one auth plugin');
  }
  const other = collection === 'credentials' ? filled.find(([name]) => !isAuth(context, name)) : undefined;
  if (other !== undefined) throw refuse(400, 'only supports auth type plugins in consumer credential');
  return { ...conf, plugins: Object.fromEntries(filled) };
}

/**
 * Checks what a configuration says beyond its schema.
 *
 * @throws Refusal (400)
 */
export function checkMeaning(collection: Collection, conf: JsonObject): void {
  const upstream = collection === 'upstreams' ? conf : conf['upstream'];
  if (isObject(upstream)) checkUpstream(upstream);
  const problem = collection === 'ssls' ? certificateProblem(conf) : undefined;
  if (problem !== undefined) throw refuse(400, problem);
}

/**
 * Checks that everything a configuration names is in the store.
 *
 * @throws Refusal (400) for the first that is not.
 */
export function checkReferences(context: ConfContext, collection: Collection, conf: JsonObject): void {
  for (const { collection: target, id, word } of referencesOf(collection, conf)) {
    const found = context.store.get(target, id);
    if (found === undefined) {
      throw refuse(400, `failed to fetch ${word} info by ${word} id [${id}], response code: 404`);
    }
    if (target === 'ssls' && found.value['type'] !== 'client') {
      throw refuse(400, `failed to fetch ${word} info by ${word} id [${id}], wrong ssl type`);
    }
  }
}

/**
 * Checks what may exist only once, as far as the worker remembers.
 *
 * @throws Refusal (400) naming the owner.
 */
export function checkUnique(context: ConfContext, replica: Replica, candidate: Candidate): void {
  const { collection, id, conf } = candidate;
  if (context.rules.refusesDuplicateKeys) {
    const self = { collection, id, value: conf, createdIndex: 0, modifiedIndex: 0 };
    for (const { plugin, key } of credentialKeys(self)) {
      const other = replica
        .ownersOf(plugin, key)
        .find(({ owner }) => owner.collection !== collection || owner.id !== id)?.owner;
      if (other !== undefined)
        throw refuse(400, `duplicate key of plugin ${plugin} found with ${describeOwner(other)}`);
    }
  }
  if (context.rules.refusesDuplicateGlobalPlugins && collection === 'global_rules') {
    for (const plugin of Object.keys(objectAt(conf, 'plugins'))) {
      const other = replica.globalRuleWith(plugin, id);
      if (other !== undefined) {
        throw refuse(400, `plugin '${plugin}' already exists in global rule with id '${other}'`);
      }
    }
  }
}

function describeOwner(owner: { readonly collection: Collection; readonly id: string }): string {
  if (owner.collection === 'consumers') return `consumer: ${owner.id}`;
  const cut = owner.id.indexOf('/');
  return `credential: ${owner.id.slice(cut + 1)} of consumer: ${owner.id.slice(0, cut)}`;
}

/** Checks the id and the fields no client may send, and puts the id in. */
export function checkIdentity(rules: Rules, collection: Collection, id: string, body: Json | undefined): JsonObject {
  if (body === undefined || body === null) throw refuse(400, 'missing configurations');
  if (!isObject(body)) throw refuse(400, `invalid configuration: wrong type: expected object, got ${typeName(body)}`);
  if (rules.forbidsTimes && collection !== 'plugin_metadata') {
    const forbidden = ['create_time', 'update_time'].find((name) => body[name] !== undefined);
    if (forbidden !== undefined) throw refuse(400, `the property is forbidden:  ${forbidden}`);
  }
  if (collection === 'consumers') return body;
  if (collection === 'plugin_metadata') return rules.metadataHasId ? { ...body, id } : body;
  const own = idAt(body, 'id');
  const shown = collection === 'credentials' ? id.slice(id.indexOf('/') + 1) : id;
  if (own !== undefined && own !== shown) throw refuse(400, `wrong ${adminKinds[collection].word} id`);
  return { ...body, id: shown };
}

function checkMetadata(context: ConfContext, plugin: string, conf: JsonObject): JsonObject {
  const definition = Object.hasOwn(context.plugins, plugin) ? context.plugins[plugin] : undefined;
  if (definition === undefined) throw new Refusal(400, { error_msg: 'invalid plugin name' });
  if (definition.metadata_schema === undefined) return conf;
  const checked = context.validator.check(definition.metadata_schema, conf);
  if (!checked.ok) throw refuse(400, `invalid configuration: ${checked.error}`);
  return isObject(checked.value) ? checked.value : conf;
}

function checkExclusive(conf: JsonObject): void {
  if (conf['host'] !== undefined && conf['hosts'] !== undefined)
    throw refuse(400, 'only one of host or hosts is allowed');
  if (conf['remote_addr'] !== undefined && conf['remote_addrs'] !== undefined) {
    throw refuse(400, 'only one of remote_addr or remote_addrs is allowed');
  }
}

function checkUpstream(upstream: JsonObject): void {
  const host = upstream['upstream_host'];
  if (upstream['pass_host'] === 'rewrite' && (host === undefined || host === '')) {
    throw refuse(400, "`upstream_host` can't be empty when `pass_host` is `rewrite`");
  }
  const problem = certificateProblem({
    cert: objectAt(upstream, 'tls')['client_cert'],
    key: objectAt(upstream, 'tls')['client_key'],
  });
  if (problem !== undefined) throw refuse(400, problem);
  const byKey =
    upstream['type'] === 'chash' && upstream['hash_on'] !== 'consumer' && upstream['hash_on'] !== 'vars_combinations';
  if (byKey && upstream['key'] === undefined) throw refuse(400, 'missing key');
}

function isAuth(context: ConfContext, name: string): boolean {
  return context.plugins[name]?.type === 'auth';
}

function definitionOf(context: ConfContext, collection: Collection, name: string): PluginDefinition | undefined {
  const definitions = collection === 'stream_routes' ? context.streamPlugins : context.plugins;
  return Object.hasOwn(definitions, name) ? definitions[name] : undefined;
}

function typeName(value: Json): string {
  return typeof value === 'object' ? 'table' : typeof value;
}
