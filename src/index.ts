/** The library's public face: everything here is covered by semantic versioning, nothing else is. */

export { version } from './version.js';

export { kinds, type Kind } from './model/kinds.js';
export type { Json, JsonObject, JsonPath } from './model/json.js';
export type { Resource, ResourceKey, Source, State } from './model/resource.js';
export type { Change, Creation, Deletion, FieldChange, Unmanaged, Update } from './model/change.js';
export type { Operation, Plan } from './model/operation.js';
export type { Notice } from './model/notice.js';
export type { LabelSelector } from './model/labels.js';
export {
  AdcError,
  errorTable,
  GatewayError,
  type ErrorCode,
  type GatewayFailure,
  type Problem,
} from './model/errors.js';
export { configurationSchema } from './model/schema.js';

export { createPoolManager } from './pool/manager.js';
export { poolOptionsFromEnv, type PoolManagerOptions } from './pool/options.js';
export type { PoolReport, Pools, PoolsReport, TlsIdentity } from './pool/pool.js';
export { createMemory } from './memory/store.js';
export type { Memory } from './memory/memory.js';

export { openBackend } from './backend/registry.js';
export {
  backendNames,
  type Backend,
  type BackendName,
  type BackendOptions,
  type Endpoint,
  type Exchange,
  type Ping,
  type Validation,
  type ValidationIssue,
} from './backend/backend.js';

export { lintConfiguration, loadConfiguration, type LoadOptions } from './pipeline/config/load.js';
export { resolveConfiguration, type Configuration, type ResolveOptions } from './pipeline/config/resolve.js';
export { dumpDocument, toYaml, type DumpOptions } from './pipeline/config/dump.js';
export type { OperationOutcome, OperationStatus, Progress } from './pipeline/apply/outcome.js';
export type { ChangeOutcome, EndpointOutcome, Summary, SyncReport } from './pipeline/report/fold.js';
export {
  dumpState,
  readAndDiff,
  sync,
  validateConfiguration,
  type Difference,
  type JobOptions,
  type JobScope,
  type SyncOptions,
  type SyncResult,
} from './sync.js';

export { startServer } from './server/server.js';
export type { Server, ServerOptions, ServerTls } from './server/options.js';
