import { AdcError, GatewayError } from '../../model/errors.js';
import type { Change, Creation } from '../../model/change.js';
import type { Operation } from '../../model/operation.js';
import { parentIdOf, type Resource, type ResourceKey, type State } from '../../model/resource.js';
import type { OperationOutcome, OperationStatus } from '../apply/outcome.js';

/** What became of one change: its operations folded into one result. */
export interface ChangeOutcome {
  readonly change: Change;
  /** Of several operations the worst: failed, unknown, skipped, aborted, applied, unchanged. */
  readonly status: OperationStatus;
  /** What the gateway, the network or the stop said; for a refusal that names this resource, the words about it. */
  readonly error?: unknown;
  /** Of `skipped`, and of `aborted` after a failure: the change whose failure is the reason. */
  readonly because?: Change;
  readonly at: Date;
  /** The endpoint of the operation that decided the status. Absent where no operation was needed. */
  readonly endpoint?: string;
  /**
   * Of `failed`: whether this resource is to blame. False where the request was about more than this resource and the
   * gateway blamed none, or others.
   */
  readonly blamed?: boolean;
}

/** What became of one endpoint, all its operations taken together. */
export interface EndpointOutcome {
  readonly server: string;
  readonly success: boolean;
  /** The first failure. */
  readonly error?: unknown;
  /** True where that failure leaves open whether what was sent was applied. */
  readonly isUndecided?: boolean;
  readonly at: Date;
}

/** How many changes ended in which way. */
export interface Summary extends Readonly<Record<OperationStatus, number>> {
  readonly total: number;
}

/** What a sync did. */
export interface SyncReport {
  /**
   * One for each change, in the order of the changes; then one for each resource that the gateway cannot hold, and one for
   * each that it blamed for a refusal although nothing changes it.
   */
  readonly outcomes: readonly ChangeOutcome[];
  /** In the order in which the plan first names them. Empty where nothing was sent. */
  readonly endpoints: readonly EndpointOutcome[];
  /** Operations that carry no change: leftovers of an interrupted job, instances that restarted empty. */
  readonly repairs: readonly OperationOutcome[];
  readonly summary: Summary;
  /** True where every change and every repair went through. */
  readonly success: boolean;
}

/** From worst to best. */
const severity: readonly OperationStatus[] = ['failed', 'unknown', 'skipped', 'aborted', 'applied', 'unchanged'];

/** What the fold needs beside the outcomes. */
export interface FoldInput {
  readonly changes: readonly Change[];
  readonly outcomes: readonly OperationOutcome[];
  /** Desired resources that the gateway cannot hold, with the reason. Each becomes a failed result. */
  readonly unsupported?: ReadonlyMap<ResourceKey, string>;
  /** The desired state before it was projected: where `unsupported` resources are looked up. */
  readonly desired?: State;
  /** The current state: where resources are looked up that a gateway blames although nothing changes them. */
  readonly current?: State;
  /** When changes without any operation are said to have ended. */
  readonly now: Date;
}

/** Folds the outcomes of operations into one result for each change. Pure. */
export function foldOutcomes(input: FoldInput): SyncReport {
  const { changes, outcomes, unsupported = new Map<ResourceKey, string>(), desired, now } = input;
  const outcomesOf = byChange(outcomes);
  const culprit = createCulprits(changes, outcomes);
  const folded = changes.map((change) => foldChange(change, outcomesOf(change.key), culprit, now));
  for (const [key, reason] of unsupported) {
    const resource = desired?.resources.get(key);
    if (resource === undefined) continue;
    const change: Creation = { type: 'create', ...identity(resource), desired: resource };
    folded.push({ change, status: 'failed', error: new AdcError('unsupported', reason), at: now, blamed: true });
  }

  for (const bystander of foldBystanders(outcomes, input)) folded.push(bystander);

  const summary = summarise(folded);
  const repairs = outcomes.filter((outcome) => outcome.operation.changes.length === 0);
  return {
    outcomes: folded,
    endpoints: foldEndpoints(outcomes),
    repairs,
    summary,
    success:
      summary.applied + summary.unchanged === summary.total && repairs.every((repair) => succeeded(repair.status)),
  };
}

/** By change, the outcomes of the operations that carry it. Most are carried by one. */
function byChange(outcomes: readonly OperationOutcome[]): (key: ResourceKey) => readonly OperationOutcome[] {
  const single = new Map<ResourceKey, OperationOutcome>();
  const several = new Map<ResourceKey, OperationOutcome[]>();
  for (const outcome of outcomes) {
    for (const key of outcome.operation.changes) {
      const first = single.get(key);
      const list = first === undefined ? undefined : several.get(key);
      if (first === undefined) single.set(key, outcome);
      else if (list === undefined) several.set(key, [first, outcome]);
      else list.push(outcome);
    }
  }
  return (key) => {
    const first = single.get(key);
    return first === undefined ? [] : (several.get(key) ?? [first]);
  };
}

/** By id of a failed operation, the change it carries. Worked out only where something failed. */
function createCulprits(
  changes: readonly Change[],
  outcomes: readonly OperationOutcome[],
): (operation: string) => Change | undefined {
  let known: ReadonlyMap<string, Change> | undefined;
  const find = (): ReadonlyMap<string, Change> => {
    const changeOf = new Map(changes.map((change) => [change.key, change]));
    const found = new Map<string, Change>();
    for (const { operation } of outcomes) {
      const key = operation.changes.find((one) => changeOf.has(one));
      const change = key === undefined ? undefined : changeOf.get(key);
      if (change !== undefined) found.set(operation.id, change);
    }
    return found;
  };
  return (operation) => (known ??= find()).get(operation);
}

function succeeded(status: OperationStatus): boolean {
  return status === 'applied' || status === 'unchanged';
}

function foldChange(
  change: Change,
  outcomes: readonly OperationOutcome[],
  culprit: (operation: string) => Change | undefined,
  now: Date,
): ChangeOutcome {
  let worst: ChangeOutcome | undefined;
  for (const outcome of outcomes) {
    const seen: ChangeOutcome =
      succeeded(outcome.status) && outcome.refused === undefined
        ? { change, status: outcome.status, at: outcome.at, endpoint: outcome.operation.endpoint }
        : outcomeFor(change, outcome, culprit);
    if (worst === undefined || severity.indexOf(seen.status) < severity.indexOf(worst.status)) worst = seen;
    // Of several failures the one that is about this very resource says most.
    else if (seen.status === worst.status && seen.blamed === true && worst.blamed !== true) worst = seen;
    else if (seen.status === worst.status && succeeded(seen.status) && seen.at > worst.at) worst = seen;
  }
  return worst ?? { change, status: 'unchanged', at: now };
}

/** What one operation means for one of the changes it carries. */
function outcomeFor(
  change: Change,
  outcome: OperationOutcome,
  culprit: (operation: string) => Change | undefined,
): ChangeOutcome {
  const { operation, status, at, error } = outcome;
  const seen = { change, at, endpoint: operation.endpoint };
  const refusal = outcome.refused?.get(change.key);
  if (refusal !== undefined)
    return { ...seen, status: 'failed', error: new AdcError('refused', saidBy(operation, refusal)), blamed: true };
  if (succeeded(status)) return { ...seen, status };
  if (status === 'failed') {
    const blamed = error instanceof GatewayError ? error.failure.blamed : undefined;
    const words = blamed?.get(change.key);
    if (words !== undefined && error instanceof GatewayError) {
      return { ...seen, status, error: ownWords(error, words), blamed: true };
    }
    return { ...seen, status, error, blamed: blamed === undefined && isAlone(operation) };
  }
  const because = outcome.because === undefined ? undefined : culprit(outcome.because);
  return { ...seen, status, ...(error === undefined ? {} : { error }), ...(because === undefined ? {} : { because }) };
}

/** Words about one resource of a request that went through without it. */
function saidBy({ method, endpoint, path }: Operation, words: string): string {
  return `${method} ${endpoint}${path}: ${words}`;
}

/** Whether an operation is about one resource and nothing else: not a whole document, whose name holds no id. */
function isAlone({ changes, object }: Operation): boolean {
  return changes.length === 1 && object.includes('/');
}

/**
 * Resources that a gateway named as the reason of a refusal although no change is about them: what it held before is not
 * accepted any more. They are shown as updates without fields, because that is what has to be repaired.
 */
function foldBystanders(outcomes: readonly OperationOutcome[], input: FoldInput): readonly ChangeOutcome[] {
  if (outcomes.every(({ status }) => status !== 'failed')) return [];
  const changed = new Set(input.changes.map((change) => change.key));
  const found = new Map<ResourceKey, ChangeOutcome>();
  for (const { operation, status, at, error } of outcomes) {
    if (status !== 'failed' || !(error instanceof GatewayError)) continue;
    for (const [key, words] of error.failure.blamed ?? []) {
      const current = input.current?.resources.get(key);
      if (changed.has(key) || found.has(key) || current === undefined) continue;
      const desired = input.desired?.resources.get(key) ?? current;
      const change: Change = { type: 'update', ...identity(desired), desired, current, fields: [] };
      const own = ownWords(error, words);
      found.set(key, { change, status, error: own, at, endpoint: operation.endpoint, blamed: true });
    }
  }
  return [...found.values()];
}

/** The refusal in the words about one resource. */
function ownWords(error: GatewayError, words: string): GatewayError {
  return new GatewayError(error.code, { ...error.failure, gatewayText: words }, { cause: error });
}

function identity(resource: Resource): Pick<Change, 'key' | 'kind' | 'id' | 'name' | 'parentId'> {
  const { key, kind, id, name } = resource;
  const parentId = parentIdOf(resource);
  return parentId === undefined ? { key, kind, id, name } : { key, kind, id, name, parentId };
}

function foldEndpoints(outcomes: readonly OperationOutcome[]): readonly EndpointOutcome[] {
  const endpoints = new Map<string, EndpointOutcome>();
  for (const outcome of outcomes) {
    const server = outcome.operation.endpoint;
    const known = endpoints.get(server);
    if (succeeded(outcome.status)) {
      if (known === undefined) endpoints.set(server, { server, success: true, at: outcome.at });
      else if (known.success && outcome.at !== known.at && outcome.at > known.at)
        endpoints.set(server, { ...known, at: outcome.at });
    } else if (known === undefined || known.success || (known.error === undefined && outcome.error !== undefined)) {
      const isUndecided = outcome.status === 'unknown';
      const failure = { server, success: false, at: outcome.at, ...(isUndecided ? { isUndecided } : {}) };
      endpoints.set(server, outcome.error === undefined ? failure : { ...failure, error: outcome.error });
    }
  }
  return [...endpoints.values()];
}

function summarise(outcomes: readonly ChangeOutcome[]): Summary {
  const counts = { total: outcomes.length, applied: 0, unchanged: 0, failed: 0, skipped: 0, aborted: 0, unknown: 0 };
  for (const { status } of outcomes) counts[status] += 1;
  return counts;
}
