import { relative } from 'node:path';
import { AdcError, GatewayError, type Problem } from '../model/errors.js';
import { formatPath } from '../model/json.js';
import { escapeControls } from '../pipeline/report/words.js';
import type { Terminal } from './terminal.js';

/**
 * Prints what went wrong and gives the exit status: one readable line and every problem behind it for an expected
 * failure; the stack for a bug, which is anything that is not an AdcError.
 *
 * @param directory files below it are shown relative to it
 * @param heading what the line begins with
 */
export function reportFailure(error: unknown, terminal: Terminal, directory: string, heading = 'Error:'): number {
  const { red, dim } = terminal.errorColors;
  if (!(error instanceof AdcError)) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    terminal.say(`${red('Bug:')} this should not happen. Please report it with what follows.\n${text}`, 0);
    return 70;
  }
  // A message may be made of its problems already; then only those with a place add something.
  const told = (problem: Problem): boolean => problem.file === undefined && error.message.includes(problem.message);
  const problems = error.problems.filter((problem) => !told(problem));
  terminal.say([`${red(heading)} ${error.message}`, ...problemLines(problems, terminal, directory)].join('\n'), 0);
  for (const line of detailLines(error)) terminal.say(dim(line), 2);
  return error.exit;
}

/** Each problem with its place, on a terminal with the line that is meant. */
function problemLines(problems: readonly Problem[], terminal: Terminal, directory: string): readonly string[] {
  const { dim, cyan } = terminal.errorColors;
  return problems.flatMap((problem) => {
    const place = placeOf(problem, directory);
    const path =
      problem.path === undefined || problem.path.length === 0 ? '' : ` ${dim(`(at ${formatPath(problem.path)})`)}`;
    const line = place === '' ? `  ${problem.message}${path}` : `  ${cyan(place)}: ${problem.message}${path}`;
    return problem.excerpt === undefined || !terminal.interactive ? [line] : [line, dim(indent(problem.excerpt))];
  });
}

/** `file:line:column` as editors and terminals make it a link; empty where no file is known. */
function placeOf(problem: Problem, directory: string): string {
  if (problem.file === undefined) return '';
  const file = problem.file === '-' ? 'standard input' : shorten(problem.file, directory);
  if (problem.line === undefined) return file;
  return problem.column === undefined ? `${file}:${problem.line}` : `${file}:${problem.line}:${problem.column}`;
}

/** What verbosity 2 adds: the gateway's answer and the chain of causes. */
function detailLines(error: AdcError): readonly string[] {
  const lines: string[] = [];
  if (error instanceof GatewayError && error.failure.headers) {
    for (const [name, value] of Object.entries(error.failure.headers)) {
      if (name !== 'set-cookie') lines.push(`  ${name}: ${escapeControls(value)}`);
    }
  }
  let cause: unknown = error.cause;
  for (let depth = 0; cause instanceof Error && depth < 8; depth += 1) {
    lines.push(`  caused by ${cause.name}: ${cause.message}`);
    cause = cause.cause;
  }
  return lines;
}

function shorten(file: string, directory: string): string {
  const path = relative(directory, file);
  return path === '' || path.startsWith('..') ? file : path;
}

function indent(text: string): string {
  return text
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n');
}
