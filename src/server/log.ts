import { pino, type Logger } from 'pino';
import type { LogLevel } from './options.js';

/** The server's log. */
export type Log = Logger;

/**
 * Makes a log of JSON lines with the keys `level`, `timestamp` (RFC 3339 in UTC), `message` and, within a request, `requestId`.
 * Nothing of a request's body is ever handed to it.
 *
 * @param write takes each line, newline included; standard output by default
 */
export function createLog(level: LogLevel, write: ((line: string) => void) | undefined): Log {
  return pino(
    {
      level,
      base: null,
      messageKey: 'message',
      timestamp: () => `,"timestamp":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: write ?? ((line) => void process.stdout.write(line)) },
  );
}
