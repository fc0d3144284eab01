import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { AdcError } from '../model/errors.js';
import { version } from '../version.js';
import { commandRows, type CommandRow } from './commands.js';
import type { Process } from './context.js';
import { reportFailure } from './failures.js';
import { FlagError, type Flag } from './flags.js';
import { createTerminal, jsonText, type Environment } from './terminal.js';

/**
 * Parses the command line, runs the command it names and gives its exit status. Everything that fails is printed here.
 *
 * @param argv what follows the program's name
 */
export async function run(argv: readonly string[], process: Process): Promise<number> {
  let status = 0;
  const program = buildProgram(process, async (row, values) => {
    status = await runCommand(row, process, values);
  });
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode;
    throw error;
  }
  return status;
}

/** Runs a command that was parsed. */
type Dispatch = (row: CommandRow, values: Readonly<Record<string, unknown>>) => Promise<void>;

async function runCommand(
  row: CommandRow,
  process: Process,
  values: Readonly<Record<string, unknown>>,
): Promise<number> {
  const level = values['verbose'] === 0 ? 0 : values['verbose'] === 2 ? 2 : 1;
  const terminal = createTerminal({ stdout: process.stdout, stderr: process.stderr, env: process.env, level });
  try {
    const status = await row.run({ ...process, terminal }, values);
    if (!row.endsBySignal) process.signal.throwIfAborted();
    return status;
  } catch (error) {
    if (!(error instanceof AdcError)) return reportFailure(error, terminal, process.directory);
    const stopped = process.signalStatus();
    // Whatever a stop made fail is not the news; the stop is.
    const news = stopped === undefined ? error : process.signal.reason;
    if (values['output'] === 'json' && !terminal.printed()) {
      const { failureReport } = await import('../pipeline/report/documents.js');
      await terminal.print(jsonText(failureReport(news)));
    }
    const status = reportFailure(news, terminal, process.directory, stopped === undefined ? 'Error:' : 'Stopped:');
    return stopped ?? status;
  } finally {
    terminal.live('');
  }
}

function buildProgram(process: Process, dispatch: Dispatch): Command {
  const program = new Command('adc')
    .description('Describe an Apache APISIX gateway in a file, and make the gateway match it.')
    .version(version, '-v, --version', 'print the version')
    .addOption(new Option('-V').hideHelp())
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help for a command')
    .showHelpAfterError('(add --help for what there is)')
    .configureHelp({
      optionDescription: (option) => option.description,
      helpWidth: Math.min(process.stdout.columns || 100, 120),
    })
    .configureOutput({
      writeOut: (text) => process.stdout.write(text),
      writeErr: (text) => process.stderr.write(text),
    })
    .exitOverride()
    .on('option:V', () => {
      process.stdout.write(`${version}\n`);
      throw new CommanderError(0, 'commander.version', version);
    });
  for (const row of commandRows)
    program.addCommand(buildCommand(row, process, dispatch).copyInheritedSettings(program));
  program.addHelpText(
    'after',
    () => `\nSettings come from flags, then the environment, then .env in the working directory.\n`,
  );
  return program;
}

function buildCommand(row: CommandRow, process: Process, dispatch: Dispatch): Command {
  const command = new Command(row.name).aliases(row.aliases).summary(row.summary).description(row.description);
  const { flags } = row;
  for (const flag of flags) command.addOption(optionOf(flag));
  command.addHelpText('after', exampleText(row));
  return command.action(async () => {
    const values = Object.fromEntries(flags.map((flag) => [flag.name, valueOf(flag, command, process.env)]));
    await dispatch(row, values);
  });
}

/** Commander's own reading of the environment knows neither `.env` nor real booleans; {@link valueOf} does it. */
function optionOf(flag: Flag): Option {
  const option = new Option(flag.argument ? `${flag.spelling} ${flag.argument}` : flag.spelling, describeFlag(flag));
  if (flag.argument !== undefined) {
    option.default(flag.default);
    option.argParser((text: string, previous: unknown) => {
      try {
        return flag.parse(text, previous);
      } catch (error) {
        if (error instanceof FlagError) throw new InvalidArgumentError(error.message);
        throw error;
      }
    });
  }
  if (flag.conflicts) option.conflicts([...flag.conflicts]);
  if (flag.hidden) option.hideHelp();
  return option;
}

/** The line of help: what it does, then what it takes, then where else it comes from, then the default. */
function describeFlag(flag: Flag): string {
  const byDefault = flag.defaultText ?? defaultText(flag.default);
  const notes = [
    flag.choices === undefined ? '' : flag.choices.join(', '),
    flag.env === undefined ? '' : `env: ${flag.env}`,
    byDefault === undefined ? '' : `default: ${byDefault}`,
  ].filter((note) => note !== '');
  return [flag.description, ...notes.map((note) => `(${note})`)].join(' ');
}

/** Flag, then environment, then default. An empty variable counts as absent: CI systems set what they lack to nothing. */
function valueOf(flag: Flag, command: Command, env: Environment): unknown {
  const source = command.getOptionValueSource(flag.name);
  if (source === 'cli') return command.getOptionValue(flag.name);
  const text = flag.env === undefined ? undefined : env[flag.env];
  if (text === undefined || text === '') return flag.default;
  try {
    return flag.parse(text, flag.default);
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    const option = flag.argument ? `${flag.spelling} ${flag.argument}` : flag.spelling;
    return command.error(
      `error: option '${option}' value '${text}' from env '${flag.env}' is invalid. ${error.message}`,
      {
        code: 'commander.invalidArgument',
      },
    );
  }
}

function exampleText(row: CommandRow): string {
  const lines = row.examples.flatMap((example) => [`  $ ${example.command}`, `      ${example.does}`]);
  return `\nExamples:\n${lines.join('\n')}\n`;
}

/** One option, for documentation. */
export interface OptionDescription {
  readonly flags: string;
  readonly description: string;
  readonly default?: string;
  readonly env?: string;
  readonly choices?: readonly string[];
  readonly repeatable: boolean;
}

/** One command, for documentation. */
export interface CommandDescription {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly summary: string;
  readonly description: string;
  readonly options: readonly OptionDescription[];
  readonly examples: readonly { readonly command: string; readonly does: string }[];
}

/** The command tree as data: what `docs/reference/cli.md` is made of. */
export function describeProgram(): readonly CommandDescription[] {
  return commandRows.map((row) => ({
    name: row.name,
    aliases: row.aliases,
    summary: row.summary,
    description: row.description,
    options: row.flags.filter((flag) => !flag.hidden).map(describeOption),
    examples: row.examples,
  }));
}

function describeOption(flag: Flag): OptionDescription {
  const byDefault = flag.defaultText ?? defaultText(flag.default);
  return {
    flags: flag.argument ? `${flag.spelling} ${flag.argument}` : flag.spelling,
    description: flag.description,
    ...(byDefault === undefined ? {} : { default: byDefault }),
    ...(flag.env === undefined ? {} : { env: flag.env }),
    ...(flag.choices === undefined ? {} : { choices: flag.choices }),
    repeatable: flag.repeatable === true,
  };
}

function defaultText(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}
