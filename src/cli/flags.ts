import { parseDuration } from './duration.js';

/** A timer of Node's takes no more milliseconds than this; what is longer would end at once. */
const longestDuration = 24 * 86_400_000;

/** What a flag's text may not be. The message is a sentence that completes "… is invalid." */
export class FlagError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'FlagError';
  }
}

/**
 * One option of a command: how it is written, what it means, where else it may come from. The same row parses the
 * command line and the environment, prints the help and makes the reference page.
 */
export interface Flag<N extends string = string, T = unknown> {
  /** The name of its value among the command's values. */
  readonly name: N;
  /** As it is written: `--server`, or `-f, --file`. A `--no-x` switch sets its value to false. */
  readonly spelling: string;
  /** The placeholder of its argument, such as `<url>`; absent for a switch. */
  readonly argument?: string;
  readonly description: string;
  /** The environment variable that is read where the flag is absent. */
  readonly env?: string;
  readonly default: T;
  /** What help shows for the default; by default the default itself, nothing for `undefined`, `false` and lists. */
  readonly defaultText?: string;
  /** The words it takes, where these are few. */
  readonly choices?: readonly string[];
  /** Names of flags that cannot be given together with it. */
  readonly conflicts?: readonly string[];
  /** May be given several times; each adds to the value. */
  readonly repeatable?: boolean;
  /** Left out of the help. */
  readonly hidden?: boolean;
  /**
   * Makes the value of one text.
   *
   * @throws FlagError for a text that cannot be meant
   */
  parse(text: string, previous: T): T;
}

/** The values of a list of flags, by name. */
export type FlagValues<F extends readonly Flag[]> = {
  readonly [K in F[number] as K['name']]: K extends Flag<string, infer T> ? T : never;
};

/** What every kind of flag has in common. */
interface FlagText {
  readonly argument?: string;
  readonly description: string;
  readonly env?: string;
  readonly defaultText?: string;
  readonly conflicts?: readonly string[];
  readonly hidden?: boolean;
}

/** A flag with a text as its value. */
export function textFlag<const N extends string>(
  name: N,
  spelling: string,
  text: FlagText & { readonly default: string; readonly check?: (text: string) => void },
): Flag<N, string> {
  const { check, ...rest } = text;
  return {
    argument: '<text>',
    ...rest,
    name,
    spelling,
    parse: (given) => {
      check?.(given);
      return given;
    },
  };
}

/** A flag with a text as its value that may be absent. */
export function optionalFlag<const N extends string>(
  name: N,
  spelling: string,
  text: FlagText & { readonly check?: (text: string) => void },
): Flag<N, string | undefined> {
  const { check, ...rest } = text;
  return {
    argument: '<text>',
    ...rest,
    name,
    spelling,
    default: undefined,
    parse: (given) => {
      check?.(given);
      return given;
    },
  };
}

/** A flag that is one of a few words. */
export function choiceFlag<const N extends string, const C extends string>(
  name: N,
  spelling: string,
  text: FlagText & { readonly choices: readonly C[]; readonly default: NoInfer<C> },
): Flag<N, C> {
  return { argument: '<word>', ...text, name, spelling, parse: (given) => choose(given, text.choices) };
}

/** A flag that is a list of a few words. */
export function choicesFlag<const N extends string, const C extends string>(
  name: N,
  spelling: string,
  text: FlagText & { readonly choices: readonly C[] },
): Flag<N, readonly C[]> {
  return {
    argument: '<word>',
    ...text,
    name,
    spelling,
    default: [],
    repeatable: true,
    parse: (given, previous) => [...previous, ...given.split(',').map((word) => choose(word.trim(), text.choices))],
  };
}

/** A flag that may be given several times. */
export function listFlag<const N extends string>(
  name: N,
  spelling: string,
  text: FlagText,
): Flag<N, readonly string[]> {
  return {
    argument: '<text>',
    ...text,
    name,
    spelling,
    default: [],
    repeatable: true,
    parse: (given, previous) => [...previous, given],
  };
}

/** A switch that is off unless given. In the environment it is a real boolean. */
export function switchFlag<const N extends string>(name: N, spelling: string, text: FlagText): Flag<N, boolean> {
  return { ...text, name, spelling, default: false, parse: (given) => parseBoolean(given) };
}

/** A switch `--no-x` that turns off what is on by default. */
export function offFlag<const N extends string>(name: N, spelling: string, text: FlagText): Flag<N, boolean> {
  return { ...text, name, spelling, default: true, parse: (given) => parseBoolean(given) };
}

/** A flag with a whole number as its value. */
export function integerFlag<const N extends string, D extends number | undefined>(
  name: N,
  spelling: string,
  text: FlagText & { readonly default: D; readonly min?: number; readonly max?: number },
): Flag<N, number | D> {
  const { min = 0, max = Number.MAX_SAFE_INTEGER, ...rest } = text;
  return { argument: '<integer>', ...rest, name, spelling, parse: (given) => parseInteger(given, min, max) };
}

/** A flag with a length of time as its value, in milliseconds. */
export function durationFlag<const N extends string, D extends number | undefined>(
  name: N,
  spelling: string,
  text: FlagText & { readonly default: D },
): Flag<N, number | D> {
  return {
    argument: '<duration>',
    ...text,
    name,
    spelling,
    parse: (given) => {
      const milliseconds = parseDuration(given);
      if (milliseconds === undefined) {
        throw new FlagError('Not a duration; write such as 500ms, 10s, 2m, 1h10m, or a bare number of milliseconds.');
      }
      if (milliseconds > longestDuration) throw new FlagError('Longer than 24 days.');
      return milliseconds;
    },
  };
}

/** Reads a boolean as people write them in environments. */
function parseBoolean(text: string): boolean {
  const word = text.trim().toLowerCase();
  if (['true', '1', 'yes', 'on'].includes(word)) return true;
  if (['false', '0', 'no', 'off'].includes(word)) return false;
  throw new FlagError('Not a boolean; allowed are true, 1, yes, on, false, 0, no, off.');
}

function parseInteger(text: string, min: number, max: number): number {
  const value = /^[+-]?\d+$/.test(text.trim()) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw new FlagError('Not an integer');
  if (value < min) throw new FlagError(`Must be at least ${min}.`);
  if (value > max) throw new FlagError(`Must be at most ${max}.`);
  return value;
}

function choose<C extends string>(text: string, choices: readonly C[]): C {
  const found = choices.find((choice) => choice === text);
  if (found === undefined) throw new FlagError(`Allowed choices are ${choices.join(', ')}.`);
  return found;
}
