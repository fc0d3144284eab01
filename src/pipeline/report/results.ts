import type { OperationStatus } from '../apply/outcome.js';
import type { ChangeOutcome, EndpointOutcome, SyncReport } from './fold.js';
import { changeTitle, errorText, parentText, type Palette } from './words.js';
import type { State } from '../../model/resource.js';

/** What the lines about results are made of. */
export interface ResultText {
  readonly colors: Palette;
  /** Where names of parents are looked up. */
  readonly states: readonly State[];
}

/** What is to be said where no answer came to what was sent. */
const undecided = 'sent, and it may have been applied, for no answer came: ';

/** The line that says how one change ended. */
export function resultLine(outcome: ChangeOutcome, { colors, states }: ResultText): string {
  const title = `${changeTitle(outcome.change)}${parentText(outcome.change, states)}`;
  const endings: Readonly<Record<OperationStatus, () => string>> = {
    applied: () => `${colors.green('✔')} ${title}`,
    unchanged: () => `${colors.green('=')} ${title} ${colors.dim('was in place already')}`,
    failed: () => `${colors.red('✖')} ${title}: ${errorText(outcome.error)}`,
    skipped: () => `${colors.yellow('-')} ${title} skipped${becauseText(outcome)}`,
    aborted: () => `${colors.yellow('-')} ${title} not started${becauseText(outcome)}`,
    unknown: () => `${colors.red('?')} ${title}: ${undecided}${errorText(outcome.error)}`,
  };
  return endings[outcome.status]();
}

function becauseText({ because, error }: ChangeOutcome): string {
  if (because !== undefined) return `: ${changeTitle(because)} failed`;
  return error === undefined ? '' : `: ${errorText(error).replace(/^not started: /, '')}`;
}

/**
 * What a person reads after a sync: everything that did not succeed, then the endpoints that failed as a whole, then
 * the summary. What failed for one and the same reason in one request is told once, with how many changes it carried.
 */
export function reportLines(report: SyncReport, text: ResultText): readonly string[] {
  const lines: string[] = [];
  const shared = new Map<unknown, ChangeOutcome[]>();
  for (const outcome of report.outcomes) {
    const { status, blamed, error } = outcome;
    if ((status !== 'failed' || blamed !== false) && (status !== 'unknown' || error === undefined)) continue;
    const others = shared.get(error);
    if (others === undefined) shared.set(error, [outcome]);
    else others.push(outcome);
  }
  for (const outcome of report.outcomes) {
    const { status, error } = outcome;
    if (status === 'applied' || status === 'unchanged') continue;
    if ((status === 'failed' || status === 'unknown') && (shared.get(error)?.length ?? 0) > 1) continue;
    lines.push(resultLine(outcome, text));
  }
  for (const [error, outcomes] of shared) {
    if (outcomes.length < 2) continue;
    const isUndecided = outcomes.some(({ status }) => status === 'unknown');
    const what = `${outcomes.length} changes in one request: ${isUndecided ? undecided : ''}${errorText(error)}`;
    lines.push(`${text.colors.red(isUndecided ? '?' : '✖')} ${what}`);
  }
  for (const repair of report.repairs) {
    if (repair.status === 'applied' || repair.status === 'unchanged') continue;
    const why = repair.error === undefined ? repair.status : errorText(repair.error);
    const said = repair.status === 'unknown' ? undecided : '';
    lines.push(`${text.colors.red('✖')} repair ${repair.operation.id}: ${said}${why}`);
  }
  if (report.endpoints.length > 1)
    lines.push(...report.endpoints.map((endpoint) => endpointLine(endpoint, text.colors)));
  lines.push(resultSummary(report));
  if (!report.success) {
    lines.push(
      'What was applied stays applied; once the cause is removed, running the same command again completes it.',
    );
  }
  return lines;
}

function endpointLine(endpoint: EndpointOutcome, colors: Palette): string {
  if (endpoint.success) return `${colors.green('✔')} ${endpoint.server}`;
  if (endpoint.error === undefined) return `${colors.red('✖')} ${endpoint.server}`;
  const said = endpoint.isUndecided === true ? undecided : '';
  return `${colors.red('✖')} ${endpoint.server}: ${said}${errorText(endpoint.error)}`;
}

/** `Summary: 3 applied, 1 failed, 2 skipped`. What did not happen is left out, but for `applied` and `failed`. */
export function resultSummary({ summary, repairs }: SyncReport): string {
  const parts = [`${summary.applied} applied`];
  if (summary.unchanged > 0) parts.push(`${summary.unchanged} already in place`);
  parts.push(`${summary.failed} failed`);
  if (summary.skipped > 0) parts.push(`${summary.skipped} skipped`);
  if (summary.aborted > 0) parts.push(`${summary.aborted} not started`);
  if (summary.unknown > 0) parts.push(`${summary.unknown} unknown`);
  const repaired = repairs.filter((repair) => repair.status === 'applied').length;
  if (repaired > 0) parts.push(`${repaired} repaired`);
  return `Summary: ${parts.join(', ')}`;
}
