import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FaultOptions, Faults } from './faults.js';
import { isObject } from './json.js';
import type { Counters } from './http/counters.js';
import { listen, type Listener } from './http/listener.js';

/** What a control endpoint shows and changes. */
export interface Controlled {
  readonly counters: Counters;
  readonly faults: () => Faults;
  /** @throws RangeError on a fault that makes no sense. */
  readonly setFaults: (change: FaultOptions) => void;
  readonly reset: () => void;
}

/**
 * Starts the control endpoint, on a port of its own so that it is never counted and no fault befalls it:
 * `GET /counts`, `DELETE /counts`, `GET /faults`, `PUT /faults`, `POST /reset`.
 */
export function startControl(address: string, controlled: Controlled): Promise<Listener> {
  return listen(address, undefined, {
    request: (request, response) => {
      readText(request).then(
        (body) => answer(controlled, request, response, body),
        () => response.destroy(),
      );
    },
  });
}

function answer(controlled: Controlled, request: IncomingMessage, response: ServerResponse, body: string): void {
  const { counters } = controlled;
  switch (`${request.method} ${request.url}`) {
    case 'GET /counts':
      return send(response, 200, { requests: counters.requests, connections: counters.connections });
    case 'DELETE /counts':
      counters.reset();
      return send(response, 200, { requests: counters.requests, connections: counters.connections });
    case 'GET /faults':
      return send(response, 200, controlled.faults());
    case 'PUT /faults':
      try {
        controlled.setFaults(readFaults(body));
      } catch (error) {
        return send(response, 400, { error: error instanceof Error ? error.message : String(error) });
      }
      return send(response, 200, controlled.faults());
    case 'POST /reset':
      controlled.reset();
      return send(response, 200, {});
    default:
      return send(response, 404, {
        error: 'GET /counts, DELETE /counts, GET /faults, PUT /faults and POST /reset are what there is',
      });
  }
}

/** @throws RangeError when the text is no JSON object. */
function readFaults(body: string): FaultOptions {
  let given: unknown;
  try {
    given = JSON.parse(body);
  } catch {
    given = undefined;
  }
  if (!isObject(given)) throw new RangeError('faults are a JSON object: {"failRate": 0.1}');
  return given;
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
