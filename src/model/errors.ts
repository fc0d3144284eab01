import type { JsonPath } from './json.js';
import type { ResourceKey } from './resource.js';

/** One row of the table of errors: how a process ends and what the server answers. */
interface ErrorRow {
  readonly exit: number;
  readonly http: number;
}

/**
 * Every kind of expected failure. A code is never reused for another meaning. Anything thrown that is not an
 * {@link AdcError} is a bug: stack and exit 70.
 */
export const errorTable = {
  /** Wrong flags, arguments or environment. */
  usage: { exit: 1, http: 400 },
  /** A file that is missing or cannot be read or written. */
  file: { exit: 1, http: 500 },
  /** Text that is not YAML or JSON, or over a limit. */
  syntax: { exit: 1, http: 400 },
  /** A configuration against its rules. */
  lint: { exit: 1, http: 400 },
  /** A variable that is not set. */
  unset_variable: { exit: 1, http: 400 },
  /** What a request to the server looks like. */
  request: { exit: 1, http: 400 },
  /** A request body over the limit. */
  too_large: { exit: 1, http: 413 },
  /** Certificates or keys that cannot be used. */
  tls_material: { exit: 1, http: 400 },
  /** No connection to the gateway: refused, reset, unresolved, timed out. */
  unreachable: { exit: 1, http: 500 },
  /** The TLS handshake with the gateway failed. */
  tls_handshake: { exit: 1, http: 500 },
  /** The gateway did not accept the key. */
  unauthorized: { exit: 1, http: 500 },
  /** The gateway answered, and refused. */
  refused: { exit: 1, http: 500 },
  /** An answer that no Admin API gives. */
  not_admin_api: { exit: 1, http: 500 },
  /** What is asked for does not exist on this gateway or backend. */
  unsupported: { exit: 1, http: 400 },
  /** A wait that came to its end. */
  deadline: { exit: 1, http: 500 },
  /** Too much is waiting. */
  busy: { exit: 1, http: 503 },
  /** The caller went away or asked to stop. */
  aborted: { exit: 1, http: 499 },
  /** Some or all changes were not applied. */
  not_applied: { exit: 1, http: 202 },
  /** The gateway found errors in the configuration. */
  invalid: { exit: 1, http: 200 },
} as const satisfies Record<string, ErrorRow>;

/** A code of {@link errorTable}. */
export type ErrorCode = keyof typeof errorTable;

/** One thing that is wrong, and where. */
export interface Problem {
  readonly message: string;
  /** Absolute path of the file, or `-` for standard input. */
  readonly file?: string;
  /** 1-based. */
  readonly line?: number;
  /** 1-based. */
  readonly column?: number;
  /** The path of the field inside its document. */
  readonly path?: JsonPath;
  /** The offending line of the file, with secrets masked. */
  readonly excerpt?: string;
}

/** Options of {@link AdcError}. */
export interface AdcErrorOptions {
  readonly problems?: readonly Problem[];
  readonly cause?: unknown;
}

/** An expected failure: one readable line, every problem behind it, never a stack. */
export class AdcError extends Error {
  readonly code: ErrorCode;
  readonly problems: readonly Problem[];

  constructor(code: ErrorCode, message: string, options: AdcErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AdcError';
    this.code = code;
    this.problems = options.problems ?? [];
  }

  /** The exit status of a process that ends with this error. */
  get exit(): number {
    return errorTable[this.code].exit;
  }

  /** The HTTP status of a server answer that carries this error. */
  get http(): number {
    return errorTable[this.code].http;
  }
}

/** What is known of a request to a gateway that failed. */
export interface GatewayFailure {
  readonly method: string;
  /** The whole URL; never holds the key. */
  readonly url: string;
  /** Absent where no answer came. */
  readonly status?: number;
  /** No answer came, and the request may have been carried out all the same: it, or an attempt before it, was sent. */
  readonly mayHaveActed?: boolean;
  readonly statusText?: string;
  /** The gateway's own words (`error_msg`, else `message`, else the shortened body), with secrets masked. */
  readonly gatewayText?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Resources to blame, where the gateway tells: by key, what it said of each. */
  readonly blamed?: ReadonlyMap<ResourceKey, string>;
}

/** A failure of one request to a gateway. Names method, URL, status and the gateway's own text. */
export class GatewayError extends AdcError {
  readonly failure: GatewayFailure;

  constructor(code: ErrorCode, failure: GatewayFailure, options: AdcErrorOptions & { readonly message?: string } = {}) {
    super(code, options.message ?? gatewayMessage(failure), options);
    this.name = 'GatewayError';
    this.failure = failure;
  }
}

/** The line people and callers read; its form is that of the older tool, which callers search for `error_msg`. */
function gatewayMessage(failure: GatewayFailure): string {
  const where = `${failure.method} ${failure.url}`;
  if (failure.status === undefined) return `${where}: ${failure.gatewayText ?? 'no answer'}`;
  const status = `${where}, responded with status ${failure.status}${failure.statusText ? ` ${failure.statusText}` : ''}`;
  return failure.gatewayText ? `${status}, error_msg: ${failure.gatewayText}` : status;
}
