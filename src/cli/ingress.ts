import { AdcError } from '../model/errors.js';
import { syncAnswer } from '../server/answers.js';
import { maskOf } from '../server/prepare.js';
import { sync } from '../sync.js';
import { loadDesired, scopeOptionsOf } from './configuration.js';
import { withConnection } from './connect.js';
import type { Context } from './context.js';
import type { SyncValues } from './options.js';
import { watchForStop } from './signals.js';
import { jsonText } from './terminal.js';

/**
 * Syncs as the server would, for a controller (`ADC_RUNNING_MODE=ingress`), and prints its answer as the only output. The status is 0 however the changes ended, because the answer tells
 * it; what fails before anything is written is thrown.
 */
export async function syncForController(context: Context, values: SyncValues): Promise<number> {
  if (!values.lint) throw new AdcError('usage', '--no-lint cannot be used with ADC_RUNNING_MODE=ingress');
  const scope = scopeOptionsOf(values, context);
  const configuration = await loadDesired(values, scope, context);
  const watch = watchForStop(context);
  await withConnection(values, context, async ({ backend, endpoints, deadline }) => {
    const { report } = await sync({
      backend,
      configuration,
      scope,
      forceSsl: values.forceSsl,
      concurrency: values.requestConcurrent,
      signal: context.signal,
      onStage: watch.enter,
      ...(deadline === undefined ? {} : { deadline }),
    });
    if (report === undefined) throw new TypeError('a sync that is no dry run has a report');
    const answer = syncAnswer({
      report,
      servers: endpoints.map(({ server }) => server),
      byEndpoint: backend.name === 'apisix-standalone',
      mask: maskOf(endpoints.map(({ token }) => token).filter((token) => token !== '')),
      now: new Date(),
    });
    await context.terminal.print(jsonText(answer));
  });
  watch.end();
  return 0;
}
