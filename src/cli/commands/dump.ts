import { dumpYaml, missingSecrets } from '../../pipeline/config/dump.js';
import { secretsOf } from '../../model/redaction.js';
import type { Notice } from '../../model/notice.js';
import type { State } from '../../model/resource.js';
import { escapeControls } from '../../pipeline/report/words.js';
import { dumpState } from '../../sync.js';
import { sayNotices, scopeOptionsOf } from '../configuration.js';
import { withConnection } from '../connect.js';
import type { Context } from '../context.js';
import { replaceFile } from '../files.js';
import type { DumpValues } from '../options.js';

/** Writes what the gateway has to a file. */
export async function run(context: Context, values: DumpValues): Promise<number> {
  const { terminal } = context;
  const scope = scopeOptionsOf(values, context);
  const { state, notices } = await withConnection(values, context, ({ backend }) => dumpState({ backend, scope }));
  sayNotices(notices, context);
  sayOmitted(notices, context);
  sayMissingSecrets(state, context);
  const text = dumpYaml(state, { withId: values.withId });
  if (values.output === '-') {
    await terminal.print(text);
    return 0;
  }
  const secret = secretsOf(state).size > 0;
  const written = await replaceFile(values.output, text, { directory: context.directory, secret });
  terminal.say(
    `${state.resources.size} resources written to ${written}${secret ? ' (mode 0600: it holds secrets)' : ''}`,
  );
  return 0;
}

/** What is stored and not in the file would not come back from it. Verbosity 2 has named each thing already. */
function sayOmitted(notices: readonly Notice[], { terminal }: Context): void {
  const counts = new Map<string, number>();
  for (const { omits } of notices) if (omits !== undefined) counts.set(omits, (counts.get(omits) ?? 0) + 1);
  if (counts.size === 0 || terminal.level > 1) return;
  const list = [...counts].map(([what, count]) => `${what} (${count})`).join(', ');
  terminal.say(
    `${terminal.errorColors.yellow('Warning:')} not in the dump, because a configuration cannot hold it: ${list}; --verbose 2 names each`,
  );
}

/** What is not in the file cannot be synced from it; a person must know before they rely on it. */
function sayMissingSecrets(state: State, { terminal }: Context): void {
  for (const { resource, field } of missingSecrets(state)) {
    terminal.say(
      `${terminal.errorColors.yellow('Warning:')} ${escapeControls(resource)}: the gateway keeps ${field} to itself; fill it in before this dump is synced`,
    );
  }
}
