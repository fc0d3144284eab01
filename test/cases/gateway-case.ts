import type { JsonObject } from '../../src/model/json.js';

/** What a gateway can do that decides whether a case makes sense there. */
export interface Abilities {
  readonly credentials: boolean;
  readonly streamRoutesOnServices: boolean;
  readonly streamRouteNames: boolean;
  readonly dashInUsernames: boolean;
  /** A consumer without an authentication plugin is accepted. */
  readonly bareConsumers: boolean;
  /** A plugin may stand in one global rule only. */
  readonly uniqueGlobalPlugins: boolean;
  /** Per-resource paths exist, so that neighbours can be written beside the tool. */
  readonly resourcePaths: boolean;
}

/** An answer to a raw request beside the tool. */
export interface RawAnswer {
  readonly status: number;
  readonly json: unknown;
}

/** What a case is given: one gateway, empty at the start, and the tool. */
export interface Bench {
  readonly abilities: Abilities;
  /**
   * Makes the gateway match, and then holds the core assertion: every change was applied; a diff afterwards is empty; the dump lints clean;
   * and a diff of that dump is empty too.
   */
  sync(document: JsonObject, scope?: ScopeOptions): Promise<SyncSummary>;
  /** Syncs without any assertion. */
  syncLoosely(document: JsonObject, scope?: ScopeOptions & { readonly signal?: AbortSignal }): Promise<SyncSummary>;
  /** The changes a sync would make, as `<type> <kind> <name>` lines in order. */
  diff(document: JsonObject, scope?: ScopeOptions): Promise<readonly string[]>;
  /** The updates among those changes with their fields: `update route r takes over (why): service_id, uris.0`. */
  updates(document: JsonObject, scope?: ScopeOptions): Promise<readonly string[]>;
  dump(): Promise<JsonObject>;
  /**
   * Dumps, empties the gateway, syncs the dump and dumps again: both dumps must be equal. Keys that the gateway hides
   * are filled in from the configurations synced so far, as a person would.
   */
  roundTrip(): Promise<void>;
  /** A request beside the tool, with the admin key. `path` is below the Admin API's base. */
  admin(method: string, path: string, body?: JsonObject): Promise<RawAnswer>;
  /** Writes an object beside the tool, such as `routes/r`: by its path, or into the documents of all instances. */
  plant(path: string, value: JsonObject): Promise<void>;
  /** Removes an object beside the tool, even one that is in use. False where the gateway does not. */
  uproot(path: string): Promise<boolean>;
  /** An object as it is stored. */
  stored(path: string): Promise<JsonObject | undefined>;
}

/** What part of the gateway a sync is about. */
export interface ScopeOptions {
  readonly labels?: Readonly<Record<string, string>>;
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
}

/** What a sync did. */
export interface SyncSummary {
  /** `<type> <kind> <name>` of each applied change. */
  readonly applied: readonly string[];
  /** `<type> <kind> <name>: <why>` of each change that was not. */
  readonly failed: readonly string[];
}

/** One end-to-end case, for any gateway. */
export interface GatewayCase {
  readonly name: string;
  /** False where the gateway cannot do what it is about. */
  readonly suits?: (abilities: Abilities) => boolean;
  run(bench: Bench): Promise<void>;
}
