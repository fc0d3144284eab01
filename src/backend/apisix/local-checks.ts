import type { Json, JsonObject } from '../../model/json.js';
import type { Notice } from '../../model/notice.js';
import { collectionOf, kindOf } from '../shared/collections.js';
import { asObject } from '../shared/values.js';
import type { ValidationIssue } from '../backend.js';
import { issueAbout, type Candidate } from '../shared/candidates.js';
import type { Checker } from './check.js';
import type { PluginUse, Schemas } from './schemas.js';

/** Checks objects against the gateway's core schemas, here: for gateways that cannot be asked to. */
export async function checkLocally(
  candidates: readonly Candidate[],
  schemas: Schemas,
  notices: Notice[],
): Promise<readonly ValidationIssue[]> {
  const checker = await openChecker();
  const issues: ValidationIssue[] = [];
  for (const candidate of candidates) {
    const { collection, id, value } = candidate.object;
    const kind = kindOf[collection];
    if (kind === 'plugin_metadata') continue;
    const schema = await schemas.core(kind === 'consumer_credential' ? 'credential' : kind);
    if (schema === undefined) continue;
    const whole = collection === collectionOf.consumer ? value : { ...value, id };
    const problem = tryCheck(checker, schema, whole, `of ${kind}s`, notices);
    if (problem !== undefined) issues.push(issueAbout(candidate, `invalid configuration: ${problem}`));
  }
  return issues;
}

/**
 * Checks the configuration of every plugin against the schema the gateway gives for it, here: `schema/validate` does not
 * look into plugins on every version. A plugin that the gateway does not know is an issue.
 *
 * @param said issues that are known already; what they say of a plugin is not said again
 */
export async function checkPlugins(
  candidates: readonly Candidate[],
  schemas: Schemas,
  said: readonly ValidationIssue[],
  notices: Notice[],
): Promise<readonly ValidationIssue[]> {
  const configured = candidates.flatMap((candidate) =>
    pluginsOf(candidate).map(([name, config, use]) => ({ candidate, name, config, use })),
  );
  if (configured.length === 0) return [];
  const checker = await openChecker();
  const issues: ValidationIssue[] = [];
  for (const { candidate, name, config, use } of configured) {
    const schema = await schemas.plugin(name, use);
    if (schema === undefined && use === 'metadata') continue;
    const problem =
      schema === undefined
        ? `unknown plugin [${name}]`
        : tryCheck(checker, schema, asObject(config) ?? {}, `of plugin ${name}`, notices);
    if (problem === undefined) continue;
    const words =
      schema === undefined ? problem : `failed to check the configuration of plugin ${name} err: ${problem}`;
    const isKnown = said.some((issue) => issue.key === candidate.resource.key && mentions(issue.message, name));
    if (!isKnown) issues.push(issueAbout(candidate, words));
  }
  return issues;
}

async function openChecker(): Promise<Checker> {
  const { createChecker } = await import('./check.js');
  return createChecker();
}

function mentions(message: string, plugin: string): boolean {
  return message.includes(`plugin ${plugin} `) || message.includes(`plugin [${plugin}]`);
}

function pluginsOf({ object }: Candidate): readonly (readonly [name: string, config: Json, use: PluginUse])[] {
  const { collection, id, value } = object;
  if (collection === 'plugin_metadata') return [[id, value, 'metadata']];
  const use: PluginUse =
    collection === 'consumers' || collection === 'credentials'
      ? 'consumer'
      : collection === 'stream_routes'
        ? 'stream'
        : 'plugin';
  return Object.entries(asObject(value['plugins']) ?? {}).map(([name, config]) => [name, config, use]);
}

/** A schema that cannot be understood here checks nothing, and that is said once. */
function tryCheck(
  checker: Checker,
  schema: JsonObject,
  value: JsonObject,
  what: string,
  notices: Notice[],
): string | undefined {
  try {
    return checker.check(schema, value);
  } catch (error) {
    const message = `the schema ${what} cannot be checked here: ${error instanceof Error ? error.message : String(error)}`;
    if (!notices.some((notice) => notice.message === message)) notices.push({ level: 'warning', message });
    return undefined;
  }
}
