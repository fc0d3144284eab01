import type { Change } from '../../model/change.js';
import { AdcError, GatewayError, type Problem } from '../../model/errors.js';
import { formatPath, type Json, type JsonObject } from '../../model/json.js';
import type { Notice } from '../../model/notice.js';
import type { Validation } from '../../backend/backend.js';
import { countChanges } from './changes.js';
import { emptiedText, type EmptiedCollection } from './emptied.js';
import type { ChangeOutcome, SyncReport } from './fold.js';
import { maskFields } from './masking.js';

/** What identifies a change to a machine: the words of `diff.yaml` and of the server's events. */
export function eventDocument(change: Change): JsonObject {
  const { kind, type, id, name, parentId } = change;
  const event = { resourceType: kind, type, resourceId: id, resourceName: name };
  return parentId === undefined ? event : { ...event, parentId };
}

/** What a failure says to a machine: never headers, never a request body. */
export function errorDocument(error: unknown): JsonObject {
  if (!(error instanceof AdcError)) return { message: error instanceof Error ? error.message : String(error) };
  const document: JsonObject = { code: error.code, message: error.message };
  const withProblems =
    error.problems.length === 0 ? document : { ...document, problems: error.problems.map(problemDocument) };
  if (!(error instanceof GatewayError)) return withProblems;
  const { method, url, status, gatewayText } = error.failure;
  return {
    ...withProblems,
    request: { method, url },
    ...(status === undefined ? {} : { status }),
    ...(gatewayText === undefined ? {} : { gatewayText }),
  };
}

/** A problem with its place. `path` is written out: `services[0].name`. */
function problemDocument(problem: Problem): JsonObject {
  const { message, file, line, column, path } = problem;
  return {
    message,
    ...(file === undefined ? {} : { file }),
    ...(line === undefined ? {} : { line }),
    ...(column === undefined ? {} : { column }),
    ...(path === undefined ? {} : { path: formatPath(path) }),
  };
}

/** What the document of a diff is made of. A `Difference` is one. */
export interface DiffFacts {
  readonly changes: readonly Change[];
  readonly emptied: readonly EmptiedCollection[];
  readonly unsupported: ReadonlyMap<string, string>;
  readonly unmanaged: ReadonlyMap<string, string>;
  readonly notices: readonly Notice[];
  readonly version?: string;
}

/** The document of `diff --output json` and of a dry run: every change with its fields, secrets masked. */
export function diffReport(facts: DiffFacts, options: { readonly showSecrets?: boolean } = {}): JsonObject {
  return {
    summary: countChanges(facts.changes),
    changes: facts.changes.map((change) => ({
      ...eventDocument(change),
      ...(change.type === 'update' ? { diff: maskFields(change, options.showSecrets ?? false) } : {}),
      ...(change.type === 'update' && change.takesOver !== undefined ? { takesOver: change.takesOver } : {}),
    })),
    warnings: facts.emptied.map(emptiedText),
    unsupported: [...facts.unsupported].map(([key, reason]) => ({ key, reason })),
    unmanaged: facts.unmanaged.size,
    notices: facts.notices.map(noticeDocument),
    ...(facts.version === undefined ? {} : { version: facts.version }),
  };
}

/** The document of `sync --output json`. */
export function syncReport(report: SyncReport, facts: Pick<DiffFacts, 'notices' | 'emptied'>): JsonObject {
  return {
    success: report.success,
    summary: { ...report.summary },
    results: report.outcomes.map(resultDocument),
    repairs: report.repairs.map(({ operation, status, error }) => ({
      request: `${operation.method} ${operation.endpoint}${operation.path}`,
      status,
      ...(error === undefined ? {} : { error: errorDocument(error) }),
    })),
    endpoints: report.endpoints.map(({ server, success, error }) => ({
      server,
      success,
      ...(error === undefined ? {} : { error: errorDocument(error) }),
    })),
    warnings: facts.emptied.map(emptiedText),
    notices: facts.notices.map(noticeDocument),
  };
}

function resultDocument(outcome: ChangeOutcome): JsonObject {
  const { change, status, error, because, at, endpoint } = outcome;
  const document: Record<string, Json> = { ...eventDocument(change), status, at: at.toISOString() };
  if (endpoint !== undefined) document['endpoint'] = endpoint;
  if (error !== undefined) document['error'] = errorDocument(error);
  if (because !== undefined) document['because'] = eventDocument(because);
  return document;
}

/** The document of `validate --output json`. */
export function validationReport(validation: Validation): JsonObject {
  return {
    success: validation.issues.length === 0,
    depth: validation.depth,
    errors: validation.issues.map(({ collection, id, name, index, message }) => ({
      collection,
      message,
      ...(id === undefined ? {} : { id }),
      ...(name === undefined ? {} : { name }),
      ...(index === undefined ? {} : { index }),
    })),
    notices: validation.notices.map(noticeDocument),
  };
}

/** The document of `lint --output json`. */
export function lintReport(problems: readonly Problem[], notices: readonly Notice[] = []): JsonObject {
  return {
    success: problems.length === 0,
    errors: problems.map(problemDocument),
    notices: notices.map(noticeDocument),
  };
}

/** The document of a command that could not do its work. */
export function failureReport(error: unknown): JsonObject {
  return { success: false, error: errorDocument(error) };
}

function noticeDocument({ level, message, key }: Notice): JsonObject {
  return key === undefined ? { level, message } : { level, message, key };
}
