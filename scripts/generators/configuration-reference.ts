import * as z from 'zod';
import {
  configurationSchema,
  consumerGroupSchema,
  consumerSchema,
  credentialSchema,
  namedUpstreamSchema,
  pluginConfigSchema,
  routeSchema,
  serviceSchema,
  sharedUpstreamSchema,
  sslSchema,
  streamRouteSchema,
  upstreamSchema,
} from '../../src/model/schema.js';

type Schema = z.core.$ZodType;

/** A section of the page: one kind of mapping. */
interface Section {
  readonly title: string;
  readonly schema: Schema;
  readonly intro: string;
}

const sections: readonly Section[] = [
  { title: 'Configuration', schema: configurationSchema, intro: 'The top of a file. Every key is optional.' },
  {
    title: 'Service',
    schema: serviceSchema,
    intro:
      'An entry of `services`. A service has `routes` or `stream_routes`, not both; `upstream` or `upstream_id`, not both; and `upstreams` only beside one of these.',
  },
  {
    title: 'Upstream',
    schema: upstreamSchema,
    intro: 'The `upstream` of a service. It has `nodes`, or `discovery_type` with `service_name`, and never both.',
  },
  {
    title: 'Named upstream',
    schema: namedUpstreamSchema,
    intro: "An entry of a service's `upstreams`: an upstream with a name and, if wanted, an id.",
  },
  {
    title: 'Shared upstream',
    schema: sharedUpstreamSchema,
    intro: 'An entry of the top-level `upstreams`, referred to by `upstream_id`.',
  },
  { title: 'Route', schema: routeSchema, intro: "An entry of a service's `routes`." },
  { title: 'Stream route', schema: streamRouteSchema, intro: "An entry of a service's `stream_routes`." },
  { title: 'SSL', schema: sslSchema, intro: 'An entry of `ssls`.' },
  { title: 'Consumer', schema: consumerSchema, intro: 'An entry of `consumers`, or of the `consumers` of a group.' },
  { title: 'Credential', schema: credentialSchema, intro: "An entry of a consumer's `credentials`." },
  { title: 'Consumer group', schema: consumerGroupSchema, intro: 'An entry of `consumer_groups`.' },
  {
    title: 'Plugin config',
    schema: pluginConfigSchema,
    intro: "An entry of `plugin_configs`, referred to by a route's `plugin_config_id`.",
  },
];

const anchor = (title: string): string => title.toLowerCase().replace(/ /g, '-');

/** The section of a schema. One with another description is another object of the same shape. */
function sectionOf(schema: Schema): Section | undefined {
  return sections.find((section) => section.schema === schema || sameShape(section.schema, schema));
}

function sameShape(a: Schema, b: Schema): boolean {
  return a instanceof z.ZodObject && b instanceof z.ZodObject && a.shape === b.shape;
}

/** A schema without what only says that it may be missing, and the default that is filled in. */
function unwrap(schema: Schema): { readonly inner: Schema; readonly optional: boolean; readonly fallback?: unknown } {
  if (schema instanceof z.ZodOptional) return { ...unwrap(schema.def.innerType), optional: true };
  if (schema instanceof z.ZodDefault)
    return { ...unwrap(schema.def.innerType), optional: true, fallback: schema.def.defaultValue };
  return { inner: schema, optional: false };
}

function bounds({ minValue, maxValue }: z.ZodNumber): string {
  const low = minValue !== null && minValue > Number.MIN_SAFE_INTEGER ? minValue : undefined;
  const high = maxValue !== null && maxValue < Number.MAX_SAFE_INTEGER ? maxValue : undefined;
  if (low !== undefined && high !== undefined) return ` ${low}–${high}`;
  if (low !== undefined) return ` ≥ ${low}`;
  return high === undefined ? '' : ` ≤ ${high}`;
}

function typeOf(schema: Schema): string {
  const section = sectionOf(schema);
  if (section !== undefined) return `[${section.title}](#${anchor(section.title)})`;
  const { inner } = unwrap(schema);
  if (inner !== schema) return typeOf(inner);
  if (inner instanceof z.ZodPipe) return typeOf(inner.def.out);
  if (inner instanceof z.ZodNumber) return `${inner.isInt ? 'integer' : 'number'}${bounds(inner)}`;
  if (inner instanceof z.ZodEnum) return inner.options.map((option) => `\`${option}\``).join(' ');
  if (inner instanceof z.ZodArray) {
    const least = inner.def.checks?.length ? 'non-empty list' : 'list';
    return `${least} of ${typeOf(inner.element)}`;
  }
  if (inner instanceof z.ZodRecord) return 'mapping';
  if (inner instanceof z.ZodObject) return 'mapping, see below';
  if (inner instanceof z.ZodBoolean) return 'boolean';
  if (inner instanceof z.ZodString) return 'string';
  return z.globalRegistry.get(inner)?.description === undefined ? 'anything' : 'mapping';
}

/** The words for a field: its own, or those of what it wraps. */
function describe(schema: Schema): string {
  const own = z.globalRegistry.get(schema)?.description;
  if (own !== undefined) return own;
  const { inner } = unwrap(schema);
  if (inner !== schema) return describe(inner);
  return inner instanceof z.ZodPipe ? describe(inner.def.out) : '';
}

/** The closed mapping behind a field that has no section of its own. */
function nestedObject(schema: Schema): z.ZodObject | undefined {
  if (sectionOf(schema) !== undefined) return undefined;
  const { inner } = unwrap(schema);
  if (sectionOf(inner) !== undefined) return undefined;
  if (inner instanceof z.ZodObject) return inner;
  return inner instanceof z.ZodArray ? nestedObject(inner.element) : undefined;
}

function rows(object: z.ZodObject, prefix: string): string[] {
  return Object.entries(object.shape as Readonly<Record<string, Schema>>).flatMap(([key, schema]) => {
    const { inner, optional, fallback } = unwrap(schema);
    const value = typeof fallback === 'function' ? (fallback as () => unknown)() : fallback;
    const cells = [
      `\`${prefix}${key}\``,
      typeOf(schema),
      optional ? '' : 'yes',
      value === undefined ? '' : `\`${JSON.stringify(value)}\``,
      describe(schema),
    ];
    const nested = nestedObject(schema);
    const below =
      nested === undefined ? [] : rows(nested, `${prefix}${key}${inner instanceof z.ZodArray ? '[]' : ''}.`);
    return [`| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`, ...below];
  });
}

function render({ title, schema, intro }: Section): string {
  if (!(schema instanceof z.ZodObject)) throw new Error(`${title} is not a mapping`);
  return [
    `## ${title}`,
    '',
    intro,
    '',
    '| Field | Type | Required | Default | |',
    '|---|---|---|---|---|',
    ...rows(schema, ''),
    '',
  ].join('\n');
}

const head = `# Configuration

<!-- Generated from the schemas by \`npm run generate\`. Do not edit. -->

What a configuration file may hold. A file is one mapping, in YAML 1.2 (with anchors and \`<<\`) or, with the extension
\`.json\`, in JSON. Every mapping is closed: a key that is not listed is an error; so is \`null\`, anywhere but inside the
mappings that only the gateway checks. A numeric field takes a string that holds a number as well, such as
\`"\${PORT}"\`. A default is filled in where the mapping it belongs to is there.

\`upstreams\`, \`plugin_configs\` and \`consumer_groups\` at the top are managed only by files that mention them: where the
key is absent, what the gateway has of that kind is neither shown, nor changed, nor deleted. For every other key, absent
means that there should be none.

## Variables

\`\${NAME}\` in any string value is replaced by the environment variable (also one set in \`.env\`); \`\${NAME:-text}\` by
\`text\` where it is unset or empty; \`\\\${NAME}\` stays \`\${NAME}\`. A variable that is not set and has no default is an
error, unless \`--allow-unset-env\` is given. \`$env://NAME\` and \`$secret://manager/id/key\` are left for the gateway to
resolve.

## Ids

An explicit \`id\` always counts. Without one it is the SHA-1, in hex, of:

| Kind | Text |
|---|---|
| service, shared upstream, plugin config, consumer group | its name |
| route, stream route, named upstream | name of the service, \`.\`, its name |
| credential | username, \`.\`, its name |
| SSL | its SNIs, joined by \`,\` |

A consumer is identified by its username; a global rule and plugin metadata by the plugin's name. Siblings may share a
name only where each has an explicit id. A service's default upstream is stored under the id of the service; where another
upstream has that id, inside the service.

## Labels

\`managed-by: adc\` (unless \`--no-managed-by-label\`) and the pairs of \`--label-selector\` are written into everything
that has labels but the default upstream of a service, which is a part of it. A pair of the selector wins over
\`managed-by\`. A label whose value is a list is stored as its JSON text, which must not hold white space.

Labels that begin with \`__ADC_\` are the tool's own and never in a dump: they keep a name where the gateway has no field
for it (\`__ADC_NAME\`), the service of a named upstream (\`__ADC_UPSTREAM_SERVICE_ID\`), and that an upstream is a
shared one and no service's own (\`__ADC_SHARED\`).
`;

/** The text of `docs/reference/configuration.md`. */
export function renderConfigurationReference(): string {
  return [head, ...sections.map(render)].join('\n').trimEnd() + '\n';
}
