import type { Plan } from '../../model/operation.js';
import { diffReport, syncReport } from '../../pipeline/report/documents.js';
import type { SyncReport } from '../../pipeline/report/fold.js';
import { reportLines, resultLine, type ResultText } from '../../pipeline/report/results.js';
import { sync, type Difference, type SyncResult } from '../../sync.js';
import { loadDesired, scopeOptionsOf } from '../configuration.js';
import { withConnection } from '../connect.js';
import type { Context } from '../context.js';
import { differenceLines, sayCircumstances } from '../differences.js';
import type { SyncValues } from '../options.js';
import { createProgress } from '../progress.js';
import { loadRemoteState, withRemoteState } from '../remote-state.js';
import { watchForStop } from '../signals.js';
import { jsonText, type Terminal } from '../terminal.js';

/** Makes the gateway match the files. */
export async function run(context: Context, values: SyncValues): Promise<number> {
  if (context.env['ADC_RUNNING_MODE'] === 'ingress')
    return (await import('../ingress.js')).syncForController(context, values);
  const { terminal } = context;
  const json = values.output === 'json';
  const scope = scopeOptionsOf(values, context);
  const remoteState = await loadRemoteState(values.remoteStateFile, context);
  const configuration = await loadDesired(values, scope, context);
  const watch = watchForStop(context);
  const result = await withConnection(values, context, async (connection) => {
    const progress = createProgress(terminal);
    try {
      return await sync({
        backend: withRemoteState(connection.backend, remoteState),
        configuration,
        scope,
        forceSsl: values.forceSsl,
        dryRun: values.dryRun,
        failFast: values.failFast,
        concurrency: values.requestConcurrent,
        signal: context.signal,
        ...(connection.deadline === undefined ? {} : { deadline: connection.deadline }),
        onStage: watch.enter,
        onDifference: (difference) => {
          if (!values.dryRun) sayDifference(difference, context);
        },
        onProgress: (now) => progress.advance(now),
      });
    } finally {
      progress.end();
      watch.end();
    }
  });
  return values.dryRun ? tellDryRun(result, json, context) : tellResult(result, json, context);
}

function sayDifference(difference: Difference, context: Context): void {
  const { terminal } = context;
  sayCircumstances(difference, context);
  terminal.sayLines(differenceLines(difference, terminal.errorColors));
}

async function tellDryRun({ difference, plan }: SyncResult, json: boolean, context: Context): Promise<number> {
  const { terminal } = context;
  sayCircumstances(difference, context);
  if (json) await terminal.print(jsonText(diffReport(difference)));
  else if (terminal.level > 0) {
    await terminal.printLines(differenceLines(difference, terminal.colors));
  }
  terminal.sayLines(requestLines(plan, terminal), 2);
  terminal.say('Dry run: nothing was changed.');
  return 0;
}

async function tellResult({ difference, report }: SyncResult, json: boolean, context: Context): Promise<number> {
  const { terminal } = context;
  if (report === undefined) return 0;
  if (json) await terminal.print(jsonText(syncReport(report, difference)));
  const text = { colors: terminal.errorColors, states: [difference.desired, difference.current] };
  terminal.sayLines(appliedLines(report, text), report.success ? 2 : 1);
  const idle = report.success && report.outcomes.length === 0 && report.repairs.length === 0;
  if (!idle) terminal.sayLines(reportLines(report, text), report.success ? 1 : 0);
  return report.success ? 0 : 1;
}

function* requestLines({ operations }: Plan, { errorColors }: Terminal): Generator<string> {
  for (const { method, endpoint, path } of operations) yield errorColors.dim(`would send ${method} ${endpoint}${path}`);
}

function* appliedLines({ outcomes }: SyncReport, text: ResultText): Generator<string> {
  for (const outcome of outcomes) if (outcome.status === 'applied') yield resultLine(outcome, text);
}
