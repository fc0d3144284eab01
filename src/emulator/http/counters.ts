/** What was asked of a server since it started or its counters were reset. */
export interface RequestCounts {
  /** Every request, those included that a fault befell. */
  readonly total: number;
  /** By method: `{ PUT: 3 }`. */
  readonly byMethod: Readonly<Record<string, number>>;
  /** By the first segment of the path below `/apisix/admin`, and by method: `{ routes: { PUT: 3 } }`. */
  readonly byKind: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** By the status answered; requests that were reset or hang are not among them. */
  readonly byStatus: Readonly<Record<string, number>>;
}

/** Connections to a server since it started or its counters were reset. */
export interface ConnectionCounts {
  /** Connections accepted. */
  readonly opened: number;
  /** Connections open now. */
  readonly open: number;
}

/** Counts the requests and connections of one server. */
export class Counters {
  #total = 0;
  #opened = 0;
  #open = 0;
  #methods = new Map<string, number>();
  #kinds = new Map<string, Map<string, number>>();
  #statuses = new Map<string, number>();

  countRequest(method: string, kind: string): void {
    this.#total += 1;
    increment(this.#methods, method);
    const known = this.#kinds.get(kind);
    if (known === undefined) this.#kinds.set(kind, new Map([[method, 1]]));
    else increment(known, method);
  }

  countStatus(status: number): void {
    increment(this.#statuses, String(status));
  }

  connectionOpened(): void {
    this.#opened += 1;
    this.#open += 1;
  }

  connectionClosed(): void {
    this.#open -= 1;
  }

  /** The requests counted so far. */
  get requests(): RequestCounts {
    return {
      total: this.#total,
      byMethod: Object.fromEntries(this.#methods),
      byKind: Object.fromEntries([...this.#kinds].map(([kind, methods]) => [kind, Object.fromEntries(methods)])),
      byStatus: Object.fromEntries(this.#statuses),
    };
  }

  /** The connections counted so far. */
  get connections(): ConnectionCounts {
    return { opened: this.#opened, open: this.#open };
  }

  /** Starts over; connections that are open stay counted as open. */
  reset(): void {
    this.#total = 0;
    this.#opened = 0;
    this.#methods = new Map();
    this.#kinds = new Map();
    this.#statuses = new Map();
  }
}

function increment(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
