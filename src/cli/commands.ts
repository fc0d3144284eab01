import type { Context, Run } from './context.js';
import type { Flag, FlagValues } from './flags.js';
import { diffFlags, dumpFlags, lintFlags, pingFlags, syncFlags, validateFlags } from './options.js';
import { emulatorFlags, serverFlags } from './service-options.js';

/** A worked example of a command. */
export interface Example {
  readonly command: string;
  readonly does: string;
}

/** One command: all that help and the reference page say of it, and how to run it. */
export interface CommandRow {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly summary: string;
  /** What a person needs to know beyond the options, in a few sentences. */
  readonly description: string;
  readonly flags: readonly Flag[];
  readonly examples: readonly Example[];
  /** It serves until a signal comes, which then is its normal end and no failure. */
  readonly endsBySignal: boolean;
  /** Loads the command's code and runs it. */
  readonly run: (context: Context, values: Readonly<Record<string, unknown>>) => Promise<number>;
}

/** Ties a command's flags to the code that gets their values, so that the compiler sees where they part. */
function command<const F extends readonly Flag[]>(row: {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly summary: string;
  readonly description: string;
  readonly flags: F;
  readonly examples: readonly Example[];
  readonly endsBySignal?: boolean;
  readonly load: () => Promise<{ readonly run: Run<FlagValues<F>> }>;
}): CommandRow {
  const { load, aliases = [], endsBySignal = false, ...rest } = row;
  return {
    ...rest,
    aliases,
    endsBySignal,
    // The values were parsed by these very flags; this is where they get their types back.
    run: async (context, values) => (await load()).run(context, values as FlagValues<F>),
  };
}

/** Every command, in the order of help. */
export const commandRows: readonly CommandRow[] = [
  command({
    name: 'ping',
    summary: 'check that the gateway can be reached and takes the key',
    description:
      'Asks every endpoint of --server, with its own key, and prints version and latency. Tells apart a refused connection, a failed TLS handshake, a wrong key and something that is not an Admin API.',
    flags: pingFlags,
    examples: [
      { command: 'adc ping', does: 'the gateway of ADC_SERVER and ADC_TOKEN, or of .env' },
      {
        command: 'adc ping --server https://gw.example:9180 --ca-cert-file ca.pem --verbose 2',
        does: 'a private authority; also shows the exchange and the connections',
      },
    ],
    load: () => import('./commands/ping.js'),
  }),
  command({
    name: 'lint',
    summary: 'check configuration files, without a gateway',
    description:
      'Reads and merges the files, substitutes variables and checks everything against the schema. Reports every problem at once, each with file, line and column.',
    flags: lintFlags,
    examples: [
      { command: 'adc lint', does: 'checks adc.yaml' },
      { command: "adc lint -f 'gateway/**/*.yaml' --output json", does: 'many files; the problems as JSON' },
    ],
    load: () => import('./commands/lint.js'),
  }),
  command({
    name: 'diff',
    summary: 'show what sync would change',
    description:
      'Compares the files with the gateway and prints each change with its fields, old and new. Changes nothing on the gateway. Writes the whole diff to diff.yaml, with secrets masked.',
    flags: diffFlags,
    examples: [
      { command: 'adc diff', does: 'adc.yaml against the gateway of ADC_SERVER' },
      { command: 'adc diff --exit-code', does: 'exits with 2 where there are differences, for CI' },
      { command: 'adc diff --output json | jq .summary', does: 'for programs' },
      {
        command:
          'adc diff -f team-a.yaml --label-selector team=a --exclude-resource-type global_rule --exclude-resource-type plugin_metadata',
        does: "one team's resources; global rules and plugin metadata have no labels, so they are left to somebody else",
      },
    ],
    load: () => import('./commands/diff.js'),
  }),
  command({
    name: 'sync',
    summary: 'make the gateway match the files',
    description:
      'Compares the files with the gateway and applies the changes: what depends on something comes after it, the rest at once. After a failure it goes on with what does not depend on it, says exactly what was and was not applied, and exits with 1; running it again completes it. Ctrl-C stops before the next write.',
    flags: syncFlags,
    examples: [
      { command: 'adc sync', does: 'adc.yaml to the gateway of ADC_SERVER' },
      { command: 'adc sync --dry-run --verbose 2', does: 'what would be done, and every write in its order' },
      { command: 'generate-config | adc sync -f -', does: 'from standard input' },
      {
        command: 'adc sync --backend apisix-standalone --server http://10.0.0.1:9180,http://10.0.0.2:9180',
        does: 'every instance of a standalone gateway',
      },
    ],
    load: () => import('./commands/sync.js'),
  }),
  command({
    name: 'dump',
    summary: 'write what the gateway has to a file',
    description:
      'Reads the gateway and writes an ADC file that shows no difference. Ids that follow from names are left out. Private keys that the gateway keeps to itself are named in a warning and at the top of the file, and must be filled in before it is used. A file that holds secrets gets mode 0600.',
    flags: dumpFlags,
    examples: [
      { command: 'adc dump', does: 'to adc.yaml' },
      { command: 'adc dump -o - | less', does: 'to standard output' },
      { command: 'adc dump -o team-a.yaml --label-selector team=a', does: "one team's resources" },
    ],
    load: () => import('./commands/dump.js'),
  }),
  command({
    name: 'validate',
    summary: 'ask the gateway whether it would take the files',
    description:
      'Checks the files as lint does, then has the gateway check them with its own schemas, and makes the checks no gateway makes (missing references, duplicate keys of credentials). Writes nothing. Says how deep it could look.',
    flags: validateFlags,
    examples: [
      { command: 'adc validate', does: 'adc.yaml' },
      { command: 'adc validate -f adc.yaml --output json', does: 'the findings as JSON' },
    ],
    load: () => import('./commands/validate.js'),
  }),
  command({
    name: 'emulator',
    summary: "run an Admin API that behaves like the gateway's, for trials and tests",
    description:
      "Starts an HTTP server with the rules of a gateway's Admin API: status codes, references, in-use checks, strictness. It serves no traffic. Prints its address on one line and runs until a signal.",
    flags: emulatorFlags,
    examples: [
      { command: 'adc emulator', does: 'the newest version on http://127.0.0.1:9180' },
      { command: 'adc emulator --listen http://127.0.0.1:0 --seed adc.yaml', does: 'a free port, filled from a file' },
      {
        command: 'adc emulator --gateway-version 3.10.0 --workers 2 --lag 2-7ms',
        does: 'an older gateway, as it behaves in earnest',
      },
      { command: 'adc emulator --fail-rate 0.05 --latency 5-50ms', does: 'a gateway on a bad day' },
    ],
    endsBySignal: true,
    load: () => import('./commands/emulator.js'),
  }),
  command({
    name: 'server',
    aliases: ['ingress-server'],
    summary: 'run as a server that syncs on request',
    description:
      'Listens for PUT /sync and PUT /validate, as a controller sends them. Probes and metrics are on the status port. SIGTERM and SIGINT drain: what runs is finished, then it exits with 0. ADC_INGRESS_LOG_LEVEL sets the level of the log.',
    flags: serverFlags,
    examples: [
      { command: 'adc server', does: 'on http://127.0.0.1:3000, status on 3001' },
      { command: 'adc server --listen unix:/run/adc/adc.sock', does: 'as a sidecar' },
      {
        command:
          'adc server --listen https://0.0.0.0:3000 --tls-cert-file tls.crt --tls-key-file tls.key --auth-token-file token',
        does: 'for others, who must show a token',
      },
    ],
    endsBySignal: true,
    load: () => import('./commands/server.js'),
  }),
];
