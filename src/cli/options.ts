import { existsSync } from 'node:fs';
import { kinds } from '../model/kinds.js';
import {
  choiceFlag,
  choicesFlag,
  durationFlag,
  FlagError,
  integerFlag,
  listFlag,
  offFlag,
  optionalFlag,
  switchFlag,
  textFlag,
  type Flag,
  type FlagValues,
} from './flags.js';

/** The words of `--backend`. `api7ee` is known so that it is refused by name. */
const backendWords = ['apisix', 'api7ee', 'apisix-standalone'] as const;

/** The words of `--include-resource-type`. `stream_service` is accepted for the older files that name it; it names nothing. */
const resourceTypeWords = [...kinds, 'stream_service'] as const;

/** How much is printed; every command has it. */
export const verboseFlag: Flag<'verbose', 0 | 1 | 2> = {
  name: 'verbose',
  spelling: '--verbose',
  argument: '<integer>',
  description:
    'how much to print: 0 errors only, 1 what is done, 2 also every HTTP exchange and what the connection pools did',
  default: 1,
  parse: (text) => {
    const level = Number.parseInt(text, 10);
    if (Number.isNaN(level)) return 1;
    return level <= 0 ? 0 : level === 1 ? 1 : 2;
  },
};

const server = textFlag('server', '--server', {
  argument: '<url>',
  description: "base URL of the gateway's Admin API; apisix-standalone takes a comma-separated list of instances",
  env: 'ADC_SERVER',
  default: 'http://localhost:9180',
});

/** What is tried again. */
export const retryFlag = integerFlag('poolRetries', '--pool-retries', {
  description:
    'how often a request is sent again after a failure that this may cure: no connection, 429, 500, 502, 503, 504',
  default: undefined,
  defaultText: '3',
  max: 100,
});

/** How long a gateway may take to be reached. */
export const connectTimeoutFlag = durationFlag('poolConnectTimeout', '--pool-connect-timeout', {
  description: 'the longest that opening a connection may take: address, TCP, proxy and TLS together',
  default: undefined,
  defaultText: '10s',
});

/** Who is spoken to, and how. */
export const connectionFlags = [
  choiceFlag('backend', '--backend', {
    argument: '<backend>',
    description: 'what kind of gateway it is',
    env: 'ADC_BACKEND',
    choices: backendWords,
    default: 'apisix',
  }),
  server,
  optionalFlag('token', '--token', {
    argument: '<key>',
    description:
      'admin key, sent as X-API-KEY; apisix-standalone takes one for all instances or a comma-separated list, one each. Prefer the environment: arguments are visible to every user of the machine',
    env: 'ADC_TOKEN',
  }),
  optionalFlag('gatewayGroup', '--gateway-group', {
    argument: '<name>',
    description: 'gateway group; means something to api7ee only',
    env: 'ADC_GATEWAY_GROUP',
    hidden: true,
  }),
  durationFlag('timeout', '--timeout', {
    description:
      'the longest one HTTP request may take: 500ms, 10s, 2m, 1h10m; a bare number is milliseconds, 0 means no limit',
    default: 10_000,
    defaultText: '10s',
  }),
  durationFlag('deadline', '--deadline', {
    description: 'the longest the whole command may take; what is not done by then is not begun',
    default: undefined,
    defaultText: 'none',
  }),
  integerFlag('requestConcurrent', '--request-concurrent', {
    description: 'the most requests in flight',
    default: 10,
    min: 1,
    max: 1000,
  }),
  optionalFlag('caCertFile', '--ca-cert-file', {
    argument: '<path>',
    description: "PEM file of the authorities to trust for the gateway's certificate, instead of the usual ones",
    env: 'ADC_CA_CERT_FILE',
    check: existing('CA certificate'),
  }),
  optionalFlag('tlsClientCertFile', '--tls-client-cert-file', {
    argument: '<path>',
    description: 'PEM file of the client certificate, for mutual TLS; needs the key',
    env: 'ADC_TLS_CLIENT_CERT_FILE',
    check: existing('mutual TLS client certificate'),
  }),
  optionalFlag('tlsClientKeyFile', '--tls-client-key-file', {
    argument: '<path>',
    description:
      "PEM file of the client certificate's private key; the passphrase of an encrypted one is read from ADC_TLS_CLIENT_KEY_PASSPHRASE",
    env: 'ADC_TLS_CLIENT_KEY_FILE',
    check: existing('mutual TLS client key'),
  }),
  optionalFlag('tlsServerName', '--tls-server-name', {
    argument: '<name>',
    description:
      "name that the gateway's certificate must have, and that is sent as SNI, where it is not the host of --server",
    env: 'ADC_TLS_SERVER_NAME',
  }),
  switchFlag('tlsSkipVerify', '--tls-skip-verify', {
    description: "accept any certificate of the gateway's: no protection against a man in the middle",
    env: 'ADC_TLS_SKIP_VERIFY',
  }),
  switchFlag('tlsSystemCa', '--tls-system-ca', {
    description: "trust the system's authorities beside those of --ca-cert-file",
    env: 'ADC_TLS_SYSTEM_CA',
  }),
  retryFlag,
  connectTimeoutFlag,
] as const;

/** Which resources count. */
export const scopeFlags = [
  listFlag('labelSelector', '--label-selector', {
    argument: '<k=v>',
    description:
      'manage only resources with these labels, and give them to what is written; comma-separated or repeated',
  }),
  choicesFlag('includeResourceType', '--include-resource-type', {
    argument: '<type>',
    description: 'manage only this type of resource; repeatable',
    choices: resourceTypeWords,
    conflicts: ['excludeResourceType'],
  }),
  choicesFlag('excludeResourceType', '--exclude-resource-type', {
    argument: '<type>',
    description: 'leave this type of resource alone; repeatable',
    choices: resourceTypeWords,
    conflicts: ['includeResourceType'],
  }),
] as const;

const managedBy = offFlag('managedByLabel', '--no-managed-by-label', {
  description: 'do not put the label managed-by: adc on what is written',
});

const noLint = offFlag('lint', '--no-lint', {
  description: 'do not check the configuration against its schema first; the gateway sees whatever is in the file',
});

const fileFlags = [
  listFlag('file', '-f, --file', {
    argument: '<path>',
    description: 'configuration file, YAML or JSON; a glob, repeatable; - reads standard input',
    defaultText: 'adc.yaml',
  }),
  switchFlag('allowUnsetEnv', '--allow-unset-env', {
    description: 'let an unset ${VAR} without a default be an empty string instead of an error',
  }),
] as const;

const outputFormat = choiceFlag('output', '--output', {
  argument: '<format>',
  description:
    'text for people; json prints one JSON document on standard output and everything else on standard error',
  choices: ['text', 'json'],
  default: 'text',
});

/** A file that stands for the gateway, for trying things out. */
const remoteStateFile = optionalFlag('remoteStateFile', '--remote-state-file', {
  argument: '<path>',
  description:
    'ADC file to take for the state of the gateway instead of reading it; needs remote-state-file in ADC_EXPERIMENTAL_FEATURE_FLAGS',
  hidden: true,
});

export const pingFlags = [...connectionFlags, verboseFlag] as const;

export const lintFlags = [...fileFlags, outputFormat, verboseFlag] as const;

export const diffFlags = [
  ...fileFlags,
  ...connectionFlags,
  ...scopeFlags,
  managedBy,
  noLint,
  switchFlag('exitCode', '--exit-code', { description: 'exit with 2 where there are differences' }),
  textFlag('diffFile', '--diff-file', {
    argument: '<path>',
    description: 'where the whole diff is written, field by field',
    default: 'diff.yaml',
  }),
  switchFlag('showSecrets', '--show-secrets', {
    description:
      'write secrets to the diff file as they are (it then gets mode 0600); they are masked otherwise, and on the terminal always',
  }),
  outputFormat,
  remoteStateFile,
  verboseFlag,
] as const;

export const syncFlags = [
  ...fileFlags,
  ...connectionFlags,
  ...scopeFlags,
  managedBy,
  noLint,
  switchFlag('forceSsl', '--force-ssl', {
    description: 'send certificates that do not differ once more: a replaced private key cannot be seen',
  }),
  switchFlag('dryRun', '--dry-run', {
    description: 'show what would be done, with --verbose 2 also every write in its order, and change nothing',
  }),
  switchFlag('failFast', '--fail-fast', {
    description: 'begin nothing new after the first failure; otherwise whatever does not depend on the failure goes on',
  }),
  outputFormat,
  remoteStateFile,
  verboseFlag,
] as const;

export const validateFlags = [
  ...fileFlags,
  ...connectionFlags,
  ...scopeFlags,
  managedBy,
  noLint,
  outputFormat,
  verboseFlag,
] as const;

export const dumpFlags = [
  textFlag('output', '-o, --output', {
    argument: '<path>',
    description: 'file to write; - writes standard output',
    default: 'adc.yaml',
  }),
  switchFlag('withId', '--with-id', { description: 'write every id, also those that follow from names' }),
  ...connectionFlags,
  ...scopeFlags,
  verboseFlag,
] as const;

export type ConnectionValues = FlagValues<typeof connectionFlags>;
export type ScopeValues = FlagValues<typeof scopeFlags>;
export type PingValues = FlagValues<typeof pingFlags>;
export type LintValues = FlagValues<typeof lintFlags>;
export type DiffValues = FlagValues<typeof diffFlags>;
export type SyncValues = FlagValues<typeof syncFlags>;
export type ValidateValues = FlagValues<typeof validateFlags>;
export type DumpValues = FlagValues<typeof dumpFlags>;

/** Refuses a path where nothing is. */
export function existing(what: string): (path: string) => void {
  return (path) => {
    if (!existsSync(path)) throw new FlagError(`The specified ${what} file does not exist`);
  };
}
