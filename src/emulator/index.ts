export {
  defaultAdminKey,
  type Emulator,
  type EmulatorOptions,
  type StandaloneEmulator,
  startEmulator,
} from './emulator.js';
export type { FaultOptions, Span, SpanInput } from './faults.js';
export type { ConnectionCounts, RequestCounts } from './http/counters.js';
export type { TlsOptions } from './http/listener.js';
export { emulatedVersions, type EmulatedVersion } from './versions.js';
export type { StandaloneInstance } from './standalone/emulator.js';
