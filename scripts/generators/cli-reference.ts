import { describeProgram, type CommandDescription, type OptionDescription } from '../../src/cli/program.js';

/** Renders the reference of the command line from the command tree. */
export function renderCliReference(): string {
  const commands = describeProgram();
  return [
    '# Command line',
    '',
    '<!-- Generated from the command tree by `npm run generate`. Do not edit. -->',
    '',
    '`adc <command> [options]`. `adc -v`, `-V` or `--version` prints the version, `adc help <command>` what stands here.',
    '',
    '| Command | |',
    '|---|---|',
    ...commands.map(({ name, summary }) => `| [\`${name}\`](#adc-${name}) | ${escape(summary)} |`),
    '',
    '## Where settings come from',
    '',
    'A flag wins over the environment, the environment over `.env` in the working directory, and that over the default. A',
    'variable that is set to nothing counts as absent. `.env` holds `KEY=value` lines and also feeds `${VAR}` in',
    'configuration files. Booleans in the environment are `true`, `1`, `yes`, `on` and `false`, `0`, `no`, `off`.',
    '',
    'Beside the variables that stand with the options: `ADC_TLS_CLIENT_KEY_PASSPHRASE` (of an encrypted client key),',
    '`HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, `NO_COLOR` and `FORCE_COLOR`, `ADC_INGRESS_LOG_LEVEL` (of the server), and',
    '`ADC_RUNNING_MODE=ingress`, with which `adc sync` prints what the server answers to a sync, and nothing else.',
    '',
    '## What goes where',
    '',
    'Data goes to standard output: the changes that `diff` and `sync --dry-run` show, the document of `--output json`, the',
    'dump of `-o -`, the line of `ping`, the address of `emulator`. Everything else goes to standard error. Secrets are masked',
    'in all of it, at every verbosity. Files are replaced whole or not at all; those that hold secrets get mode 0600.',
    '',
    '| Exit code | |',
    '|---|---|',
    '| 0 | done |',
    '| 1 | any failure, and wrong usage |',
    '| 2 | there are differences (`diff --exit-code`) |',
    '| 70 | a bug; the stack is shown |',
    '| 130, 143 | stopped by SIGINT, by SIGTERM; a second signal ends the process at once. `emulator` and `server` end with 0 |',
    '',
    ...commands.flatMap(renderCommand),
  ].join('\n');
}

function renderCommand(command: CommandDescription): readonly string[] {
  const aliases =
    command.aliases.length === 0 ? [] : [`Also: ${command.aliases.map((alias) => `\`adc ${alias}\``).join(', ')}.`, ''];
  return [
    `## adc ${command.name}`,
    '',
    escape(command.description),
    '',
    ...aliases,
    '| Option | | Default | Environment |',
    '|---|---|---|---|',
    ...command.options.map(renderOption),
    '',
    '```',
    ...command.examples.flatMap((example) => [`# ${example.does}`, example.command]),
    '```',
    '',
  ];
}

function renderOption(option: OptionDescription): string {
  const choices = option.choices === undefined ? '' : `: ${option.choices.map((word) => `\`${word}\``).join(', ')}`;
  const byDefault = option.default === undefined ? '' : `\`${option.default}\``;
  const env = option.env === undefined ? '' : `\`${option.env}\``;
  return `| \`${option.flags}\` | ${escape(option.description)}${choices} | ${byDefault} | ${env} |`;
}

/** A table's cell ends at a bar, and an angle bracket begins HTML. */
function escape(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}
