import type { Socket } from 'node:net';
import { Client } from 'undici';
import type { Exchange } from './exchange.js';

/** A timer's longest time: undici's own idle timer must not be faster than the pool's. */
const never = 2 ** 31 - 1;

/**
 * One open connection, with the undici client that speaks HTTP on it. The client gets the socket that was opened for it
 * and never another one: a connection that ends, ends, and what comes next is the pool's decision.
 */
export class Connection {
  readonly socket: Socket;
  /** How many answers came over it. */
  served = 0;
  /** The request it carries. */
  exchange: Exchange | undefined;
  /** The server said that it closes it after this answer. */
  ending = false;
  /** What the server said it keeps an idle connection for, in ms. */
  keepAlive = Infinity;
  idleSince = 0;
  idleUntil = 0;
  /** The first thing that went wrong on it. Node says then what a TLS alert was; undici speaks of the end that follows. */
  error: Error | undefined;
  /** When it is too old to take a further request. */
  readonly ageUntil: number;
  readonly #client: Client;
  #attached = false;

  /** @param origin of the requests, also where a proxy is between */
  constructor(socket: Socket, origin: string, ageUntil: number, bodyMax: number) {
    this.socket = socket;
    socket.once('error', (error) => {
      this.error = error;
    });
    this.ageUntil = ageUntil;
    this.#client = new Client(origin, {
      pipelining: 1,
      // The pool's wheel ends what takes too long; a second set of timers would only cost.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: never,
      keepAliveMaxTimeout: never,
      keepAliveTimeoutThreshold: 0,
      maxResponseSize: bodyMax,
      connect: (_options, callback) => {
        if (this.#attached) {
          callback(new ConnectionGoneError('connection closed by the server'), null);
          return;
        }
        this.#attached = true;
        queueMicrotask(() => callback(null, socket));
      },
    });
  }

  /** Puts a request on the wire; its progress comes to the exchange, errors included. */
  send(exchange: Exchange): void {
    this.exchange = exchange;
    // An idle socket holds no process alive; undici sees to that only from the first request on.
    if (!this.#attached) this.socket.ref();
    this.#client.dispatch(exchange.options, exchange);
  }

  /** An idle socket must not keep the process alive. */
  rest(): void {
    if (!this.#attached) this.socket.unref();
  }
}

/** The connection ended before the request was put on the wire. */
class ConnectionGoneError extends Error {
  readonly code = 'ECONNRESET';
}
