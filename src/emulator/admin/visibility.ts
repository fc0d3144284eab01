import { createCipheriv } from 'node:crypto';
import { isObject, type Json, type JsonObject } from '../json.js';
import type { Entry } from '../store.js';
import type { Rules } from '../versions.js';

/** What a client gets to see of a stored object. */
export interface Visibility {
  /** The value in the answer to a write. */
  written(entry: Entry): JsonObject;
  /** The value in the answer to a read of that object. */
  read(entry: Entry): JsonObject;
  /** The value as it stands in lists. */
  listed(entry: Entry): JsonObject;
}

/** The plugin fields that are ciphertext in the answer to a write, as dotted paths: `['key']`, `['redis.password']`. */
export type EncryptedFields = (plugin: string, part: 'plugin' | 'consumer' | 'metadata') => readonly string[];

// The key every gateway starts with until its operator sets another: what is encrypted with it is hidden, not safe.
const defaultKey = 'qeddd145sfvddff3';

/** Hides what a gateway of some version hides. */
export function visibilityFor(rules: Rules, encryptedFields: EncryptedFields): Visibility {
  const read = (entry: Entry): JsonObject => {
    const value = hideClientKey(entry.value);
    return entry.collection === 'ssls' ? without(value, ['key', 'keys']) : value;
  };
  return {
    read,
    written: (entry) => {
      const value = hideClientKey(entry.value);
      if (entry.collection === 'ssls') return encryptKeys(value);
      return rules.encryptsPlugins ? encryptPlugins(entry, value, encryptedFields) : value;
    },
    listed: (entry) =>
      entry.collection === 'ssls' && rules.listsSslKeys ? encryptKeys(hideClientKey(entry.value)) : read(entry),
  };
}

function hideClientKey(value: JsonObject): JsonObject {
  const hidden = encryptTlsKey(value);
  const upstream = hidden['upstream'];
  if (!isObject(upstream)) return hidden;
  const inner = encryptTlsKey(upstream);
  return inner === upstream ? hidden : { ...hidden, upstream: inner };
}

function encryptTlsKey(value: JsonObject): JsonObject {
  const tls = value['tls'];
  if (!isObject(tls) || typeof tls['client_key'] !== 'string') return value;
  return { ...value, tls: { ...tls, client_key: encryptPem(tls['client_key']) } };
}

function encryptKeys(value: JsonObject): JsonObject {
  const { key, keys } = value;
  return {
    ...value,
    ...(typeof key === 'string' ? { key: encryptPem(key) } : {}),
    ...(Array.isArray(keys)
      ? { keys: (keys as readonly Json[]).map((item) => (typeof item === 'string' ? encryptPem(item) : item)) }
      : {}),
  };
}

function encryptPlugins(entry: Entry, value: JsonObject, encryptedFields: EncryptedFields): JsonObject {
  if (entry.collection === 'plugin_metadata') {
    return encryptFields(value, encryptedFields(entry.id, 'metadata'));
  }
  const plugins = value['plugins'];
  if (!isObject(plugins)) return value;
  const part = entry.collection === 'consumers' || entry.collection === 'credentials' ? 'consumer' : 'plugin';
  const hidden = Object.entries(plugins).map(([name, settings]): [string, Json | undefined] => [
    name,
    isObject(settings) ? encryptFields(settings, encryptedFields(name, part)) : settings,
  ]);
  return { ...value, plugins: Object.fromEntries(hidden) };
}

function encryptFields(settings: JsonObject, fields: readonly string[]): JsonObject {
  return fields.reduce((value, field) => encryptAt(value, field.split('.')), settings);
}

function encryptAt(value: JsonObject, path: readonly string[]): JsonObject {
  const [name = '', ...rest] = path;
  const found = value[name];
  if (found === undefined) return value;
  if (rest.length > 0) return isObject(found) ? { ...value, [name]: encryptAt(found, rest) } : value;
  return { ...value, [name]: encryptValue(found) };
}

function encryptValue(value: Json): Json {
  if (typeof value === 'string') return encrypt(value);
  if (Array.isArray(value)) return (value as readonly Json[]).map(encryptValue);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, encryptValue(inner ?? null)]));
}

/** A private key that came back encrypted and is sent again is not encrypted twice. */
function encryptPem(text: string): string {
  return text.startsWith('---') ? encrypt(text) : text;
}

function encrypt(text: string): string {
  const cipher = createCipheriv('aes-128-cbc', defaultKey, defaultKey);
  return cipher.update(text, 'utf8', 'base64') + cipher.final('base64');
}

function without(value: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name)));
}
