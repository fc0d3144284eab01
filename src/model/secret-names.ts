/** Names of fields, headers and variables that hold secrets, by the words they are made of. */
const secretWords: ReadonlySet<string> = new Set([
  'key',
  'keys',
  'secret',
  'secrets',
  'password',
  'passwords',
  'passwd',
  'passphrase',
  'pwd',
  'token',
  'tokens',
  'credential',
  'credentials',
  'authorization',
  'auth',
  'cookie',
  'signature',
  'private',
]);

/** Endings of words that are written as one: `apikey`, `accesskey`, `authtoken`, `clientsecret`. */
const secretEnding =
  /(?:api|access|secret|private|auth|shared|sign|signing|encryption|master|client|user)(?:key|token|secret|password)s?$/;

/** Words that make a name harmless wherever they stand. */
const harmlessWords: ReadonlySet<string> = new Set(['public', 'max', 'min', 'num']);

/** Last words that turn a name into one about a secret rather than of one: `key_type`, `token_endpoint`, `key_id`. */
const harmlessEndings: ReadonlySet<string> = new Set(
  (
    'type types endpoint endpoints alg algs algorithm algorithms url uri urls path paths ttl id ids name names method ' +
    'methods size length count limit expiration expires expiry exp field fields claim claims prefix mode position ' +
    'encoding format strategy timeout interval enabled lifetime leeway supported required expected'
  ).split(' '),
);

function wordsOf(name: string): string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');
}

/**
 * Tells whether the name of a field, a header or a variable says that its value is a secret. Errs on the side of yes.
 */
export function isSecretName(name: string): boolean {
  const words = wordsOf(name);
  // `max_tokens` and the like count secrets; they hold none.
  if (words.some((word) => harmlessWords.has(word)) || harmlessEndings.has(words.at(-1) ?? '')) return false;
  return words.some((word) => secretWords.has(word) || secretEnding.test(word));
}

/** Plugins with fields that are called a key and are none: what is counted or cached by. */
const plainFields: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['limit-count', new Set(['key'])],
  ['limit-req', new Set(['key'])],
  ['limit-conn', new Set(['key'])],
  ['kafka-logger', new Set(['key'])],
  ['proxy-cache', new Set(['cache_key'])],
  ['graphql-proxy-cache', new Set(['cache_key'])],
]);

/** Tells whether a field of a plugin holds no secret although its name sounds so. */
export function isPlainField(plugin: string | undefined, field: string): boolean {
  return plugin !== undefined && plainFields.get(plugin)?.has(field) === true;
}
