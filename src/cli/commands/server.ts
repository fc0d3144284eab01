import { AdcError } from '../../model/errors.js';
import { poolOptionsFromEnv } from '../../pool/options.js';
import { logLevelFrom, type ServerOptions } from '../../server/options.js';
import type { Context } from '../context.js';
import type { ServerValues } from '../service-options.js';

/** Serves until a signal comes, then drains. */
export async function run(context: Context, values: ServerValues): Promise<number> {
  const { startServer } = await import('../../server/server.js');
  const { env, signal } = context;
  const server = await startServer({
    pools: await context.openPools({
      ...poolOptionsFromEnv(env),
      ...(values.poolIdleTimeout === undefined ? {} : { idleTimeout: values.poolIdleTimeout }),
      ...(values.poolMaxAge === undefined ? {} : { maxAge: values.poolMaxAge }),
      ...(values.poolConnections === undefined ? {} : { connectionsPerPool: values.poolConnections }),
      ...(values.poolsMax === undefined ? {} : { poolsMax: values.poolsMax }),
      ...(values.poolRetries === undefined ? {} : { retries: values.poolRetries }),
      ...(values.poolConnectTimeout === undefined ? {} : { connectTimeout: values.poolConnectTimeout }),
    }),
    memory: await context.openMemory(),
    listen: values.listen,
    statusPort: values.listenStatus,
    ...tlsOf(values),
    ...(values.authTokenFile === undefined ? {} : { authTokenFile: values.authTokenFile }),
    ...(values.allowTarget.length === 0 ? {} : { allowTargets: values.allowTarget }),
    concurrency: values.concurrency,
    queueLength: values.queueLength,
    bodyLimit: values.bodyLimit * 1024 * 1024,
    drainTimeout: values.drainTimeout,
    logLevel: logLevelFrom(env['ADC_INGRESS_LOG_LEVEL']),
  });
  const stopReloading = context.onReload(() => void server.reload());
  try {
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
    await server.drain();
    return 0;
  } finally {
    stopReloading();
    await server.close();
  }
}

/** Whether certificates fit the address is the server's to check. */
function tlsOf({ tlsCertFile, tlsKeyFile, caCertFile }: ServerValues): Pick<ServerOptions, 'tls'> {
  if (tlsCertFile === undefined && tlsKeyFile === undefined && caCertFile === undefined) return {};
  if (tlsCertFile === undefined || tlsKeyFile === undefined) {
    throw new AdcError('usage', 'When using HTTPS, both --tls-cert-file and --tls-key-file must be provided');
  }
  return {
    tls: {
      certFile: tlsCertFile,
      keyFile: tlsKeyFile,
      ...(caCertFile === undefined ? {} : { clientCaFile: caCertFile }),
    },
  };
}
