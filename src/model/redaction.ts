import type { FieldChange } from './change.js';
import { isJsonObject, type Json, type JsonObject, type JsonPath } from './json.js';
import type { Kind } from './kinds.js';
import type { State } from './resource.js';
import { isReference } from './schema/scalars.js';
import { isPlainField, isSecretName } from './secret-names.js';
import {
  configurationRule,
  openRule,
  plainRule,
  pluginsRule,
  secretRule,
  secretRules,
  type SecretRule,
} from './secret-rules.js';

/** What stands in place of a secret. */
export const mask = '***';

/** Called with each secret on the way. */
type OnSecret = (secret: string) => void;

const ignore: OnSecret = () => undefined;

/** Where the walk is: the rule, and the plugin whose configuration it is in. */
interface Context {
  readonly rule: SecretRule;
  readonly plugin?: string;
}

/** Shapes of secrets that are recognised in any text. `prefix` stays, `secret` goes. */
const secretTexts: readonly RegExp[] = [
  /(?<prefix>)(?<secret>-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|$))/g,
  /(?<prefix>\b(?:Bearer|Basic|Digest|ApiKey|Token)\s+)(?<secret>[A-Za-z0-9._~+/=-]{6,})/gi,
  /(?<prefix>:\/\/[^\s/:@]*:)(?<secret>[^\s/@]+)(?=@)/g,
  /(?<prefix>)(?<secret>\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*)/g,
];

const headerLine = /^(?<name>[\w-]+)(?<between>\s*:\s*)(?<value>\S.*)$/s;
const queryParameter = /(?<prefix>[?&](?<name>[\w.-]+)=)(?<value>[^&#\s]+)/g;
const operator = /^(?:==|~=|!|>=?|<=?|~~|~\*|in|has|ipmatch)$/i;

/** Masks what looks like a secret inside a text that is none as a whole. */
function redactString(text: string, onSecret: OnSecret): string {
  let result = text;
  for (const pattern of secretTexts) {
    result = result.replace(pattern, (whole: string, prefix: string, secret: string) => {
      if (secret === mask || isReference(secret)) return whole;
      onSecret(secret);
      return `${prefix}${mask}`;
    });
  }
  const header = headerLine.exec(result)?.groups;
  if (header !== undefined && isSecretName(header['name'] ?? '') && !(header['value'] ?? '').includes(mask)) {
    onSecret(header['value'] ?? '');
    return `${header['name']}${header['between']}${mask}`;
  }
  return result.replace(queryParameter, (whole: string, prefix: string, name: string, value: string) => {
    if (!isSecretName(name) || value === mask) return whole;
    onSecret(value);
    return `${prefix}${mask}`;
  });
}

/** Masks everything below a place: strings and numbers; references stay readable. */
function redactWhole(value: Json, onSecret: OnSecret): Json {
  if (typeof value === 'string') {
    if (value === '' || value === mask || isReference(value)) return value;
    onSecret(value);
    return mask;
  }
  if (typeof value === 'number') {
    onSecret(String(value));
    return mask;
  }
  return mapChildren(value, (child) => redactWhole(child, onSecret));
}

/** Maps the children of a list or a mapping; gives the value itself where none changed. */
function mapChildren(value: Json, map: (child: Json, key: string | number) => Json): Json {
  if (Array.isArray(value)) {
    const list = value as readonly Json[];
    let changed: Json[] | undefined;
    list.forEach((child, index) => {
      const mapped = map(child, index);
      if (mapped !== child) {
        changed ??= [...list];
        changed[index] = mapped;
      }
    });
    return changed ?? value;
  }
  if (!isJsonObject(value)) return value;
  const entries = Object.entries(value);
  let changed = false;
  const mapped = entries.map(([key, child]): [string, Json] => {
    const result = map(child, key);
    changed ||= result !== child;
    return [key, result];
  });
  return changed ? Object.fromEntries(mapped) : value;
}

/** The context of a child. */
function below({ rule, plugin }: Context, parent: Json | undefined, key: string | number): Context {
  switch (rule.mode) {
    case 'secret':
      return { rule };
    case 'plugins':
      return { rule: openRule, plugin: String(key) };
    case 'plain':
      if (typeof key === 'number') return { rule: rule.items ?? plainRule };
      return { rule: rule.members?.get(key) ?? plainRule };
    case 'open':
      break;
  }
  const open: Context = plugin === undefined ? { rule } : { rule, plugin };
  if (typeof key === 'number') return isOperand(parent, key) ? { rule: secretRule } : open;
  if (key === 'plugins' && isPluginMap(parent)) return { rule: pluginsRule };
  if (isPlainField(plugin, key) || isHashKey(parent, key) || isStorePath(parent, key)) return open;
  return isSecretName(key) || isNamedValue(parent, key) ? { rule: secretRule } : open;
}

/** The third item of `["http_x_api_key", "==", "…"]`. */
function isOperand(parent: Json | undefined, index: number): boolean {
  if (index < 2 || !Array.isArray(parent)) return false;
  const [name, relation] = parent as readonly Json[];
  return typeof name === 'string' && typeof relation === 'string' && operator.test(relation) && isSecretName(name);
}

function isPluginMap(parent: Json | undefined): boolean {
  return isJsonObject(parent) && isJsonObject(parent['plugins']);
}

/** The `key` beside `key_type`, `hash_on` or `nodes` says what is hashed or counted by. */
function isHashKey(parent: Json | undefined, key: string): boolean {
  return key === 'key' && isJsonObject(parent) && ['key_type', 'hash_on', 'nodes'].some((field) => field in parent);
}

/** The `key` of an entry of an Admin API list is a path in its store. */
function isStorePath(parent: Json | undefined, key: string): boolean {
  const value = isJsonObject(parent) ? parent[key] : undefined;
  return key === 'key' && typeof value === 'string' && value.startsWith('/apisix/');
}

/** The `value` beside a `name` that says it is a secret. */
function isNamedValue(parent: Json | undefined, key: string): boolean {
  if (key !== 'value' || !isJsonObject(parent)) return false;
  return ['name', 'key', 'header'].some((field) => {
    const name = parent[field];
    return typeof name === 'string' && isSecretName(name) && !isStorePath(parent, field);
  });
}

function redactIn(value: Json, context: Context, onSecret: OnSecret): Json {
  if (context.rule.mode === 'secret') return redactWhole(value, onSecret);
  if (typeof value === 'string') return redactString(value, onSecret);
  return mapChildren(value, (child, key) => redactIn(child, below(context, value, key), onSecret));
}

/** The context at a path below the body of a kind. */
function contextAt(kind: Kind, path: JsonPath): Context {
  let context = rootContext(kind);
  for (const step of path) context = below(context, undefined, step);
  return context;
}

/** A global rule and plugin metadata are the configuration of one plugin, whose name is not in the body. */
function rootContext(kind: Kind): Context {
  return { rule: secretRules[kind] };
}

/** Masks the secrets of a resource's body. Gives the body itself where it holds none. */
export function redactResource(kind: Kind, body: JsonObject): JsonObject {
  return redactIn(body, rootContext(kind), ignore) as JsonObject;
}

/** Masks the secrets of a value that stands at a path below a resource's body. */
function redactValue(kind: Kind, path: JsonPath, value: Json): Json {
  return redactIn(value, contextAt(kind, path), ignore);
}

/** Masks the secrets on both sides of changed fields. */
export function redactFieldChanges(kind: Kind, fields: readonly FieldChange[]): readonly FieldChange[] {
  return fields.map((field): FieldChange => {
    const redact = (value: Json, path: JsonPath = field.path) => redactValue(kind, path, value);
    switch (field.kind) {
      case 'N':
        return { ...field, rhs: redact(field.rhs) };
      case 'D':
        return { ...field, lhs: redact(field.lhs) };
      case 'E':
        return { ...field, lhs: redact(field.lhs), rhs: redact(field.rhs) };
      case 'A': {
        const path = [...field.path, field.index];
        const { item } = field;
        return {
          ...field,
          item:
            item.kind === 'N' ? { kind: 'N', rhs: redact(item.rhs, path) } : { kind: 'D', lhs: redact(item.lhs, path) },
        };
      }
      default:
        return field;
    }
  });
}

/** Masks the secrets of any JSON value by the names of its fields: requests, answers, and what else has no kind. */
export function redactJson(value: Json): Json {
  return redactIn(value, { rule: openRule }, ignore);
}

/** Collects the secrets of any JSON value by the names of its fields, to be masked in a text that may repeat them. */
export function secretsIn(value: Json): ReadonlySet<string> {
  const secrets = new Set<string>();
  redactIn(value, { rule: openRule }, (secret) => secrets.add(secret));
  return secrets;
}

// The look-behind keeps a long word from being tried again at each of its letters.
const assignment =
  /(?<before>(?<![\w.-])(?:(?<quote>["']?)(?<name>[\w.-]+)\k<quote>\s*:\s+|"(?<json>[\w.-]+)"\s*:\s*))(?<value>"(?:[^"\\]|\\.)*"|'[^']*'|[^,{}[\]\s][^,}\]]*)/g;

const longRun = /[A-Za-z0-9+/]{40,}={0,2}/g;

/** A long run that mixes cases and digits is key material; ids are hex, and paths have few digits. */
function isKeyMaterial(run: string): boolean {
  return /[A-Z]/.test(run) && /[a-z]/.test(run) && /\d/.test(run);
}

/**
 * Masks what looks like a secret in a line of a YAML or JSON file, by the names of the fields in it. For a line whose
 * file could not be parsed; {@link redactText} knows more of others.
 */
export function redactLine(line: string): string {
  const masked = line.replace(assignment, (whole: string, ...rest: unknown[]) => {
    const groups = rest.at(-1) as Readonly<Record<string, string | undefined>>;
    const value = groups['value'] ?? '';
    const bare = value.replace(/^["']/, '');
    if (!isSecretName(groups['name'] ?? groups['json'] ?? '') || isReference(bare)) return whole;
    return /^[|>&*]/.test(value) ? whole : `${groups['before']}${mask}${/\s*$/.exec(value)?.[0] ?? ''}`;
  });
  return redactString(
    masked.replace(longRun, (run) => (isKeyMaterial(run) ? mask : run)),
    ignore,
  );
}

/** Secrets shorter than this would turn whole messages into masks; they are not looked for in texts. */
const shortestInText = 4;

/** Collects the secrets of a document that is meant to be a configuration, whether it passes its checks or not. */
export function secretsInDocument(document: Json): ReadonlySet<string> {
  const secrets = new Set<string>();
  redactIn(document, { rule: configurationRule }, (secret) => secrets.add(secret));
  return secrets;
}

/** Collects the secrets of a state, to be masked in texts of others ({@link redactText}). */
export function secretsOf(state: State): ReadonlySet<string> {
  const secrets = new Set<string>();
  for (const { kind, body } of state.resources.values()) {
    redactIn(body, rootContext(kind), (secret) => secrets.add(secret));
  }
  return secrets;
}

/** The ways in which a secret may appear in a text: as it is, escaped in JSON or a URL, or one of its lines. */
function appearances(secret: string): string[] {
  const forms = [secret, JSON.stringify(secret).slice(1, -1)];
  // A lone surrogate cannot be written in a URL.
  if (!/\p{Surrogate}/u.test(secret)) forms.push(encodeURIComponent(secret));
  if (secret.includes('\n'))
    forms.push(...secret.split(/\r?\n/).filter((line) => line.length >= 16 && !line.startsWith('-----')));
  return forms.filter((form) => form.length >= shortestInText);
}

/**
 * Masks known secrets, and whatever looks like one, inside a text: an error of a gateway, a line of a file.
 *
 * @param secrets what {@link secretsOf} collected
 */
export function redactText(text: string, secrets: Iterable<string> = []): string {
  let result = text;
  const found = [...secrets].flatMap(appearances).filter((form) => text.includes(form));
  for (const form of found.sort((a, b) => b.length - a.length)) result = result.replaceAll(form, mask);
  return redactString(result, ignore);
}
