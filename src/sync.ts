import { setImmediate as afterOthers } from 'node:timers/promises';
import type { Backend, Projection, Reading, Validation } from './backend/backend.js';
import type { Memory } from './memory/memory.js';
import type { Change, Unmanaged } from './model/change.js';
import { kinds, type Kind } from './model/kinds.js';
import type { Notice } from './model/notice.js';
import type { Plan } from './model/operation.js';
import type { Resource, ResourceKey, State } from './model/resource.js';
import type { Configuration } from './pipeline/config/resolve.js';
import { apply, type ApplyOptions } from './pipeline/apply/apply.js';
import { changesIn, compareRaw } from './pipeline/diff/diff.js';
import { resendSsls } from './pipeline/diff/force.js';
import { leftAlone, noticeHolds } from './pipeline/diff/left-alone.js';
import { showTakenUpstreams, type Seen } from './pipeline/diff/own-upstreams.js';
import { createPairMemory, type PairMemory } from './pipeline/diff/pair-memory.js';
import { isSelected, scopeOf, type Scope } from './pipeline/diff/scope.js';
import { plan } from './pipeline/plan/plan.js';
import { findEmptied, type EmptiedCollection } from './pipeline/report/emptied.js';
import { foldOutcomes, type SyncReport } from './pipeline/report/fold.js';

/** What part of the gateway a job is about; what the configuration mentions is added to it. */
export type JobScope = Omit<Scope, 'mentioned'>;

/** A stage of the line that takes time. */
export type Stage = 'read' | 'diff' | 'apply' | 'validate';

/** What every job needs. */
export interface JobOptions {
  readonly backend: Backend;
  readonly configuration: Configuration;
  readonly scope?: JobScope;
  /** Send SSLs again that do not differ: a replaced private key cannot be seen. Default false. */
  readonly forceSsl?: boolean;
  /** Where it is remembered of two states that nothing has to be done. */
  readonly memory?: Memory;
  /** Called when a stage begins. Must not throw. */
  readonly onStage?: (stage: Stage) => void;
}

/** What has to happen on the gateway, and all that was found on the way to knowing it. */
export interface Difference {
  readonly changes: readonly Change[];
  /** What is wanted, before what the gateway cannot hold was dropped. */
  readonly configured: State;
  /** What is wanted and can be stored: the side of the changes called desired. */
  readonly desired: State;
  readonly current: State;
  readonly unmanaged: Unmanaged;
  /** Desired resources that this gateway cannot hold at all, with the reason. */
  readonly unsupported: ReadonlyMap<ResourceKey, string>;
  /** Collections of which nothing in scope would be left. */
  readonly emptied: readonly EmptiedCollection[];
  /** Of the configuration, the reading and the projection. */
  readonly notices: readonly Notice[];
  /** The gateway's version, where it shows it. */
  readonly version?: string;
  /** Works out what would be sent: the changes, and repairs of what an earlier job left half done. */
  plan(): Plan;
}

/** Options of {@link sync}. */
export interface SyncOptions extends JobOptions, ApplyOptions {
  /** Work everything out and send nothing that writes. Default false. */
  readonly dryRun?: boolean;
  /** Called with what will be done before it is. Must not throw. */
  readonly onDifference?: (difference: Difference, plan: Plan) => void;
}

/** What a sync found and did. */
export interface SyncResult {
  readonly difference: Difference;
  readonly plan: Plan;
  /** Absent after a dry run. */
  readonly report?: SyncReport;
}

/**
 * Reads the gateway and compares it with what is wanted. Writes nothing.
 *
 * @throws GatewayError where the gateway cannot be read: nothing is ever taken for "there is none"
 */
export async function readAndDiff(options: JobOptions): Promise<Difference> {
  const { backend, configuration, scope = {}, forceSsl = false, onStage } = options;
  onStage?.('read');
  const reading = await backend.read(skippedKinds(scope));
  const known = settledIn(options, reading);
  const settled = forceSsl ? undefined : known?.get();

  onStage?.('diff');
  const comparison = settled ?? (await compare(options, reading));
  const { projection, current, unmanaged, changes } = comparison;
  const { state: desired, notices, unsupported } = projection;
  if (settled === undefined && changes.length === 0) known?.set(comparison);
  return {
    changes,
    configured: configuration.state,
    desired,
    current,
    unmanaged,
    unsupported,
    emptied: findEmptied(changes, desired, current, unmanaged),
    notices: [
      ...configuration.notices,
      ...reading.notices.filter((notice) =>
        noticeHolds(notice, current, (key) => !desired.resources.has(key) && unmanaged.has(key)),
      ),
      ...notices,
    ],
    ...(reading.version === undefined ? {} : { version: reading.version }),
    plan: () => {
      if (settled?.plan !== undefined) return settled.plan;
      const planned = plan(reading.lower(changes, desired, (state) => leftAlone(state, desired, wholeScope(options))));
      const nothing = changes.length === 0 && planned.operations.length === 0;
      if (nothing && reading.isWhole === true) known?.set({ ...comparison, plan: planned });
      return planned;
    },
  };
}

/**
 * Makes the gateway match the configuration: reads, compares, plans and, unless it is a dry run, applies. The plan is
 * carried out even where nothing differs, because it may hold repairs.
 *
 * @throws GatewayError where the gateway cannot be read. What fails while writing is in the report, never thrown
 */
export async function sync(options: SyncOptions): Promise<SyncResult> {
  const { backend, dryRun = false, onStage, onDifference } = options;
  const difference = await readAndDiff(options);
  await giveWay(difference.current, difference.desired);
  const planned = difference.plan();
  onDifference?.(difference, planned);
  if (dryRun) return { difference, plan: planned };

  onStage?.('apply');
  backend.beginWriting();
  const outcomes = await apply(planned, backend, options);
  const report = foldOutcomes({
    changes: difference.changes,
    outcomes,
    unsupported: difference.unsupported,
    desired: difference.configured,
    current: difference.current,
    now: new Date(),
  });
  return { difference, plan: planned, report };
}

/**
 * Asks the gateway about the configuration, and writes nothing.
 *
 * @throws GatewayError where the gateway does not answer; AdcError `unsupported` where it has no means to validate
 */
export async function validateConfiguration(
  options: Pick<JobOptions, 'backend' | 'configuration' | 'onStage'>,
): Promise<Validation> {
  options.onStage?.('validate');
  const validation = await options.backend.validate(options.configuration.state);
  return { ...validation, notices: [...options.configuration.notices, ...validation.notices] };
}

/**
 * Reads what a gateway holds within a scope. Every kind counts as mentioned.
 *
 * @throws GatewayError where the gateway cannot be read
 */
export async function dumpState(
  options: Pick<JobOptions, 'backend' | 'scope' | 'onStage'>,
): Promise<{ readonly state: State; readonly notices: readonly Notice[]; readonly version?: string }> {
  const { backend, scope = {}, onStage } = options;
  onStage?.('read');
  const { state, notices, version } = await backend.read(skippedKinds(scope));
  const unmanaged = scopeOf(state, { ...scope, mentioned: new Set(kinds) });
  const kept = new Map<ResourceKey, Resource>();
  for (const [key, resource] of state.resources) if (!unmanaged.has(key)) kept.set(key, resource);
  return {
    state: unmanaged.size === 0 ? state : { resources: kept },
    notices: notices.filter((notice) => noticeHolds(notice, state, () => true)),
    ...(version === undefined ? {} : { version }),
  };
}

/** Beyond so many resources a stage takes long enough to be felt by others in the same process. */
const largeState = 1_000;

/** Between two stages of a large job everything else in the process has its turn: a server has other callers. */
async function giveWay(current: State, desired: State): Promise<void> {
  if (Math.max(current.resources.size, desired.resources.size) > largeState) await afterOthers();
}

/** What a comparison comes to. */
interface Comparison extends Seen {
  readonly projection: Projection;
  readonly changes: readonly Change[];
}

/** Compares raw first; only what differs is worth fetching the gateway's schemas for. */
async function compare(options: JobOptions, reading: Reading): Promise<Comparison> {
  const { configuration, forceSsl = false } = options;
  await giveWay(reading.state, configuration.state);
  const projection = reading.project(configuration.state);
  const desired = projection.state;
  await giveWay(reading.state, desired);
  const scoped = { current: reading.state, unmanaged: leftAlone(reading.state, desired, wholeScope(options)) };
  const { current, unmanaged } = showTakenUpstreams(scoped, desired);
  await giveWay(current, desired);
  const input = { desired, current, unmanaged };
  const raw = compareRaw(input);
  const compared = changesIn(
    raw,
    raw.differing.length === 0 ? input : { ...input, normalise: await reading.normaliser(raw.differing) },
  );
  return { projection, current, unmanaged, changes: forceSsl ? resendSsls(compared, desired, current) : compared };
}

/** What the job is about, with the kinds that its configuration mentions. */
function wholeScope({ configuration, scope }: JobOptions): Scope {
  return { ...scope, mentioned: configuration.mentioned };
}

/** What costs requests of its own and is out of scope anyway. */
function skippedKinds(scope: JobScope): ReadonlySet<Kind> {
  return new Set<Kind>(isSelected('consumer', scope) ? [] : ['consumer_credential']);
}

/** A comparison that found nothing to change and, once that was worked out, the plan that does nothing either. */
interface Settled extends Comparison {
  readonly plan?: Plan;
}

/** What is remembered of this configuration and this reading. The memory's part lets go of states that nobody holds any more. */
function settledIn(
  { backend, configuration, scope = {}, memory }: JobOptions,
  { state, version }: Reading,
): { readonly get: () => Settled | undefined; readonly set: (settled: Settled) => void } | undefined {
  const space = memory?.space<PairMemory<Settled>>('settled states');
  if (space === undefined) return undefined;
  const remembered = space.get('all');
  const known = remembered ?? createPairMemory<Settled>();
  if (remembered === undefined) space.set('all', known, 1024);
  const what = [backend.name, version ?? '', ...configuration.mentioned].join(' ');
  const circumstances = Object.keys(scope).length === 0 ? what : `${what} ${JSON.stringify(scope)}`;
  return {
    get: () => known.get(configuration.state, state, circumstances),
    set: (settled) => known.set(configuration.state, state, circumstances, settled),
  };
}
