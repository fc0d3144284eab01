/**
 * One bounded store for what the server would otherwise work out again on every request. Losing any of it costs time
 * only: nothing in it stands in for a read of the gateway.
 */
export interface Memory {
  /** False where nothing is kept: what serves remembering alone is then not worth its time. */
  readonly keeps: boolean;
  /** A named part of the store. The same name always gives the same part; `T` is what its one user puts in. */
  space<T extends object>(name: string): MemorySpace<T>;
  /** Bytes and entries held, by space. */
  report(): Readonly<Record<string, { readonly entries: number; readonly bytes: number }>>;
  clear(): void;
}

/** One named part of a {@link Memory}. */
export interface MemorySpace<T extends object> {
  get(key: string): T | undefined;
  /** `bytes` is an estimate of what the value keeps alive; the store evicts least recently used values beyond its bound. */
  set(key: string, value: T, bytes: number): void;
  delete(key: string): void;
}
