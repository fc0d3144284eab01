import {
  choiceFlag,
  durationFlag,
  FlagError,
  integerFlag,
  listFlag,
  offFlag,
  optionalFlag,
  textFlag,
  type Flag,
  type FlagValues,
} from './flags.js';
import { connectTimeoutFlag, existing, retryFlag, verboseFlag } from './options.js';

/** What a listener that speaks TLS works with. */
const certificateFlags = [
  optionalFlag('tlsCertFile', '--tls-cert-file', {
    argument: '<path>',
    description: 'PEM file of the certificate to serve https:// with',
    check: existing('certificate'),
  }),
  optionalFlag('tlsKeyFile', '--tls-key-file', {
    argument: '<path>',
    description: "PEM file of the certificate's private key",
    check: existing('key'),
  }),
  optionalFlag('caCertFile', '--ca-cert-file', {
    argument: '<path>',
    description: 'PEM file of the authorities that clients must have a certificate of',
    check: existing('CA certificate'),
  }),
] as const;

/** Connections, for those who must know. */
const poolFlags = [
  durationFlag('poolIdleTimeout', '--pool-idle-timeout', {
    description: 'how long an unused connection to a gateway is kept',
    env: 'ADC_INGRESS_FREE_SOCKET_TIMEOUT',
    default: undefined,
    defaultText: '45s',
  }),
  durationFlag('poolMaxAge', '--pool-max-age', {
    description: 'after what age a connection is replaced, so that changed addresses and certificates take effect',
    default: undefined,
    defaultText: '5m',
  }),
  integerFlag('poolConnections', '--pool-connections', {
    description: 'the most connections to one gateway with one identity',
    default: undefined,
    defaultText: '256',
    min: 1,
  }),
  integerFlag('poolsMax', '--pools-max', {
    description: 'the most pools of connections',
    env: 'ADC_INGRESS_TLS_AGENT_POOL_MAX',
    default: undefined,
    defaultText: '64',
    min: 1,
  }),
] as const;

export const emulatorFlags = [
  textFlag('listen', '--listen', {
    argument: '<url>',
    description: 'where to listen: http://host:port, https://host:port or unix:/path; port 0 takes a free one',
    default: 'http://127.0.0.1:9180',
  }),
  textFlag('gatewayVersion', '--gateway-version', {
    argument: '<version>',
    description:
      'the version to behave like: 3.2.2, 3.10.0, 3.13.0, 3.15.0 or 3.18.0; one between takes the nearest lower rules',
    default: '3.18.0',
  }),
  choiceFlag('mode', '--mode', {
    argument: '<mode>',
    description:
      'etcd: one gateway with paths for every resource; standalone: data plane instances with one document each, from gateway 3.13',
    choices: ['etcd', 'standalone'],
    default: 'etcd',
  }),
  integerFlag('instances', '--instances', {
    description: 'how many instances there are in standalone mode, each at a port of its own',
    default: undefined,
    defaultText: '1',
    min: 1,
    max: 256,
  }),
  optionalFlag('adminKey', '--admin-key', {
    argument: '<key>',
    description: 'key that may do everything',
    env: 'ADC_EMULATOR_ADMIN_KEY',
    defaultText: 'the one a new APISIX has',
  }),
  optionalFlag('viewerKey', '--viewer-key', {
    argument: '<key>',
    description: 'key that may read only',
    env: 'ADC_EMULATOR_VIEWER_KEY',
  }),
  integerFlag('workers', '--workers', {
    description: 'how many workers answer in turn, each with its own order of keys and its own lag',
    default: 1,
    min: 1,
    max: 64,
  }),
  optionalFlag('lag', '--lag', {
    argument: '<duration>',
    description: 'how far what a worker knows trails what is stored: 5ms, 2-7ms',
  }),
  optionalFlag('data', '--data', {
    argument: '<path>',
    description: 'file to keep the state in; in memory only without it',
  }),
  optionalFlag('schemas', '--schemas', {
    argument: '<path>',
    description: "file with plugin schemas, as a gateway's GET /plugins?all=true answers",
  }),
  listFlag('seed', '--seed', {
    argument: '<path>',
    description: 'ADC file to start with, synced at start; a glob, repeatable',
  }),
  ...certificateFlags,
  optionalFlag('latency', '--latency', {
    argument: '<duration>',
    description: 'wait before each answer: 20ms, 5-50ms',
  }),
  rateFlag('failRate', '--fail-rate', 'share of requests, 0 to 1, that are answered with 500 and not applied'),
  integerFlag('failStatus', '--fail-status', {
    argument: '<status>',
    description: 'the status of answers that --fail-rate makes',
    default: 500,
    min: 400,
    max: 599,
  }),
  rateFlag('resetRate', '--reset-rate', 'share of requests, 0 to 1, whose connection is reset'),
  choiceFlag('resetWhen', '--reset-when', {
    argument: '<moment>',
    description: 'whether a request whose connection is reset was applied',
    choices: ['before', 'after', 'either'],
    default: 'either',
  }),
  rateFlag('hangRate', '--hang-rate', 'share of requests, 0 to 1, that are never answered'),
  listFlag('faultMethod', '--fault-method', {
    argument: '<method>',
    description: 'restrict the faults to this method; repeatable',
  }),
  optionalFlag('faultPath', '--fault-path', { description: 'restrict the faults to paths that contain this' }),
  optionalFlag('control', '--control', {
    argument: '<url>',
    description: 'where to listen for questions about requests and connections, and for changes of the faults',
  }),
  offFlag('streamMode', '--no-stream-mode', { description: 'behave as with stream mode off: no stream routes' }),
  offFlag('serverHeader', '--no-server-header', {
    description: 'send no Server header, as operators who hide versions do',
  }),
  verboseFlag,
] as const;

export const serverFlags = [
  textFlag('listen', '--listen', {
    argument: '<url>',
    description: 'where to listen: http://host:port, https://host:port or unix:/path',
    default: 'http://127.0.0.1:3000',
  }),
  integerFlag('listenStatus', '--listen-status', {
    argument: '<port>',
    description: 'port of probes and metrics, on every address',
    default: 3001,
    min: 0,
    max: 65_535,
  }),
  ...certificateFlags,
  optionalFlag('authTokenFile', '--auth-token-file', {
    argument: '<path>',
    description: 'file with the bearer token that requests must carry',
    check: existing('token'),
  }),
  listFlag('allowTarget', '--allow-target', {
    argument: '<origin>',
    description: 'gateway that requests may name: an origin, a host, host:port or *.domain; repeatable, any without it',
  }),
  integerFlag('concurrency', '--concurrency', {
    description: 'the most jobs that run at the same moment',
    default: 16,
    min: 1,
    max: 1024,
  }),
  integerFlag('queueLength', '--queue-length', {
    description: 'the most jobs that may wait; further ones are answered 503',
    default: 1024,
  }),
  integerFlag('bodyLimit', '--body-limit', {
    argument: '<MiB>',
    description: 'the largest request body',
    default: 100,
    min: 1,
    max: 1024,
  }),
  durationFlag('drainTimeout', '--drain-timeout', {
    description: 'how long running jobs are given after SIGTERM before they are stopped between two writes',
    default: 30_000,
    defaultText: '30s',
  }),
  ...poolFlags,
  retryFlag,
  connectTimeoutFlag,
  verboseFlag,
] as const;

export type EmulatorValues = FlagValues<typeof emulatorFlags>;
export type ServerValues = FlagValues<typeof serverFlags>;

function rateFlag<const N extends string>(name: N, spelling: string, description: string): Flag<N, number> {
  return {
    name,
    spelling,
    argument: '<share>',
    description,
    default: 0,
    parse: (text) => {
      const share = text.trim() === '' ? Number.NaN : Number(text);
      if (!(share >= 0 && share <= 1)) throw new FlagError('Not a share from 0 to 1.');
      return share;
    },
  };
}
