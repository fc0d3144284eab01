import type { Change, Normalise, Pair, Unmanaged } from '../model/change.js';
import type { AdcError } from '../model/errors.js';
import type { Kind } from '../model/kinds.js';
import type { Notice } from '../model/notice.js';
import type { ObjectRef, Operation } from '../model/operation.js';
import type { ResourceKey, State } from '../model/resource.js';
import type { Memory } from '../memory/memory.js';
import type { Pools, TlsIdentity } from '../pool/pool.js';

/** The gateways the tool knows how to talk to. */
export const backendNames = ['apisix', 'apisix-standalone'] as const;

/** The name of a backend, as `--backend` and `opts.backend` take it. */
export type BackendName = (typeof backendNames)[number];

/** One gateway instance: where it is, the key it wants, and how to trust it. */
export interface Endpoint {
  /** Base URL as the user gave it; Admin API paths are appended to it. No trailing slash. */
  readonly server: string;
  readonly token: string;
  readonly tls?: TlsIdentity;
}

/** One finished request, for people who asked to see them (verbosity 2). Holds no key and no secret. */
export interface Exchange {
  readonly method: string;
  readonly url: string;
  readonly status?: number;
  /** Milliseconds. */
  readonly took: number;
  readonly attempts: number;
  /** Redacted. */
  readonly requestBody?: string;
  /** Redacted and shortened. */
  readonly responseBody?: string;
  readonly error?: string;
}

/** What a backend is built from. */
export interface BackendOptions {
  /** At least one. `apisix` takes exactly one. */
  readonly endpoints: readonly Endpoint[];
  readonly pools: Pools;
  readonly memory: Memory;
  /** Names the gateway that is written; by default the servers, joined. */
  readonly cacheKey?: string;
  /** Forget what is remembered for this cache key and read again. */
  readonly bypassCache?: boolean;
  /** Milliseconds for one HTTP request; default 10,000; 0 for none. */
  readonly requestTimeout?: number;
  /** Requests in flight; default 10. */
  readonly concurrency?: number;
  /** Milliseconds since the epoch at which the whole job ends. */
  readonly deadline?: number;
  /** Cuts every request short, until {@link Backend.beginWriting}. */
  readonly signal?: AbortSignal;
  /** Sent with every request, such as `traceparent`. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly onExchange?: ((exchange: Exchange) => void) | undefined;
  /** Look for things of kinds that no configuration can hold as well (protos, secrets), to name them. Default false. */
  readonly reportUnmanaged?: boolean;
}

export type { Notice } from '../model/notice.js';

/** What one endpoint said when asked whether it is there. */
export interface Ping {
  readonly server: string;
  /** Milliseconds. */
  readonly latency: number;
  readonly version?: string;
  /** Set where it is not usable; tells apart refused, TLS failure, wrong key and not an Admin API. */
  readonly error?: AdcError;
}

/** What a gateway cannot hold is dropped, with a notice, or refused, with a problem, before anything is compared. */
export interface Projection {
  /** What can be stored. The same object as the input where nothing had to go. */
  readonly state: State;
  readonly notices: readonly Notice[];
  /** Resources that this gateway cannot hold at all: each becomes a failed result, never a silent success. */
  readonly unsupported: ReadonlyMap<ResourceKey, string>;
}

/**
 * The current state of a gateway and what else its reading found out (versions, stored shapes, digests: the snapshot).
 * Travels with the job; nothing of it is looked up again.
 */
export interface Reading {
  /** Complete: managed or not. The same object as an earlier reading's where the gateway's bytes were the same. */
  readonly state: State;
  /**
   * True where the same `state` stands for the same stored objects, so that lowering the same gives the same again. A group of
   * instances has one state, and a document each.
   */
  readonly isWhole?: boolean;
  /** Stored things that are not resources of the tool (routes outside a service, protos, …), and what a reader should know. */
  readonly notices: readonly Notice[];
  /** From the `Server` header, where it is shown. */
  readonly version?: string;
  project(desired: State): Projection;
  /**
   * Fetches the gateway's own schemas of just the kinds and plugins in which these pairs differ and gives the function that makes
   * the sides of each of them comparable. Called only where a raw comparison differs.
   */
  normaliser(pairs: readonly Pair[]): Promise<Normalise>;
  /**
   * Turns changes into operations. Runs even for no changes: a leftover of an interrupted job or an instance that
   * restarted empty may need one. `desired` is the projected state.
   *
   * @param unmanagedIn gives what of a state is outside the job's scope. Where several instances are written, each may hold
   *   what the one the changes were made from does not. Default: everything that no change deletes and nobody desires.
   */
  lower(changes: readonly Change[], desired: State, unmanagedIn?: (state: State) => Unmanaged): readonly Operation[];
}

/** What an operation that succeeded left behind. */
export interface Executed {
  /** The gateway's `Date` header, else our clock. */
  readonly at: Date;
  readonly status: number;
  /** False where the endpoint already held it and nothing was written. */
  readonly written: boolean;
  /** Resources of this operation that the endpoint refused although the operation went through: by key, its words. */
  readonly refused?: ReadonlyMap<ResourceKey, string>;
}

/** One thing a gateway, or we, found wrong in a configuration. */
export interface ValidationIssue {
  /** The Admin API's collection word, such as `routes`. */
  readonly collection: string;
  readonly key?: ResourceKey;
  readonly kind?: Kind;
  readonly id?: string;
  readonly name?: string;
  /** The resource's place in its collection as it was sent. */
  readonly index?: number;
  readonly message: string;
}

/** What a validation found, and how deep it could look. */
export interface Validation {
  /** `full`: configs/validate; `per-resource`: schema/validate for each; `local`: against schemas the gateway gave. */
  readonly depth: 'full' | 'per-resource' | 'local';
  readonly issues: readonly ValidationIssue[];
  readonly notices: readonly Notice[];
}

/** A refusal that a gateway may have made from a memory that trails its store. */
export interface LagRefusal {
  /** What it names as being in the way. */
  readonly object: ObjectRef;
  /** The job read that this object was not in the way: the memory is older than that, or somebody changed it since. */
  readonly isOutdated: boolean;
}

/** One gateway (or one group of instances) and one job with it. Makes no request before it is asked something. */
export interface Backend {
  readonly name: BackendName;
  /** The word shown to people: `APISIX`. */
  readonly label: string;
  /** Asks every endpoint, with its own key. Never throws for an endpoint that is not usable: see {@link Ping.error}. */
  ping(): Promise<readonly Ping[]>;
  /**
   * Reads everything.
   *
   * @param skip kinds whose reading may be left out where it costs requests of its own (credentials)
   * @throws GatewayError on any answer that is not understood; nothing is ever taken for "there is none"
   */
  read(skip?: ReadonlySet<Kind>): Promise<Reading>;
  /** Writes begin: from now on the job's signal cuts no request, because a write that is cut leaves open whether it happened. */
  beginWriting(): void;
  /**
   * Carries out one operation.
   *
   * @throws GatewayError when the gateway refused or did not answer
   */
  execute(operation: Operation, signal?: AbortSignal): Promise<Executed>;
  /** What a refusal names that may come from a gateway's lagging memory; undefined for any other failure. */
  lagRefusal(error: unknown, operation: Operation): LagRefusal | undefined;
  /** Asks the gateway about the desired state; writes nothing. */
  validate(desired: State): Promise<Validation>;
  /** Gives the leases back, and gives up what was not answered yet. The pools live on. */
  close(): void;
}

/** Builds a backend. */
export type OpenBackend = (options: BackendOptions) => Backend;
