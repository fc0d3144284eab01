import { changeLines, changeSummary, emptiedLines, unmanagedLines } from '../pipeline/report/changes.js';
import { escapeControls, type Palette } from '../pipeline/report/words.js';
import type { Difference } from '../sync.js';
import { sayNotices } from './configuration.js';
import type { Context } from './context.js';

/** Every change with its fields, then the summary line; what a person reads before a decision. */
export function* differenceLines(difference: Difference, colors: Palette): Generator<string> {
  const states = [difference.desired, difference.current];
  const text = { colors, states };
  for (const change of difference.changes) for (const line of changeLines(change, text)) yield line;
  for (const [key, reason] of difference.unsupported) {
    const resource = difference.configured.resources.get(key);
    const title = resource === undefined ? key : `${resource.kind}: ${JSON.stringify(resource.name)}`;
    yield `${colors.red('✖')} ${escapeControls(title)} cannot be stored: ${reason}`;
  }
  yield difference.changes.length === 0 && difference.unsupported.size === 0
    ? 'No changes: the gateway matches the configuration.'
    : changeSummary(difference.changes);
}

/** Says beside the changes what a person should know: warnings, and at verbosity 2 what is left alone. */
export function sayCircumstances(difference: Difference, context: Context): void {
  const { terminal } = context;
  sayNotices(difference.notices, context);
  for (const line of emptiedLines(difference.emptied, terminal.errorColors)) terminal.say(line);
  if (terminal.level < 2) return;
  const keys = uncomparedKeys(difference);
  if (keys > 0) {
    terminal.say(
      terminal.errorColors.dim(
        `the private keys of ${keys === 1 ? '1 certificate' : `${keys} certificates`} were not compared, because gateways do not give them back; sync --force-ssl sends them again`,
      ),
      2,
    );
  }
  for (const line of unmanagedLines(difference.unmanaged, difference.current)) {
    terminal.say(terminal.errorColors.dim(line), 2);
  }
}

/** How many certificates are taken for equal without a look at their keys. */
function uncomparedKeys({ changes, desired, current }: Difference): number {
  const changed = new Set(changes.map(({ key }) => key));
  return [...desired.resources.values()].filter(
    ({ kind, key }) => kind === 'ssl' && current.resources.has(key) && !changed.has(key),
  ).length;
}
