import type { ApiAnswer } from '../http/answer.js';
import { jsonAnswer } from '../http/answer.js';

/** Thrown where a request is refused; what it says is what the client gets. */
export class Refusal extends Error {
  readonly status: number;
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}) {
    super('the request is refused');
    this.status = status;
    this.body = body;
    this.headers = headers;
  }

  /** What it says, without its frame. */
  get reason(): string {
    const said = typeof this.body === 'object' && this.body !== null ? Object.values(this.body)[0] : this.body;
    return typeof said === 'string' ? said : JSON.stringify(said);
  }

  /** The answer a client gets. */
  toAnswer(headers: Readonly<Record<string, string>>): ApiAnswer {
    return typeof this.body === 'string'
      ? { status: this.status, headers: { 'content-type': 'application/json', ...headers }, body: this.body }
      : jsonAnswer(this.status, this.body, headers);
  }
}

/** A refusal with an `error_msg`. */
export function refuse(status: number, message: string): Refusal {
  return new Refusal(status, { error_msg: message });
}

/** The refusal of a read or a delete of nothing. */
export function keyNotFound(): Refusal {
  return new Refusal(404, { message: 'Key not found' });
}
