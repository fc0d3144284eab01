import { dumpDocument, toYaml } from '../../pipeline/config/dump.js';
import { secretsOf } from '../../model/redaction.js';
import { dumpState } from '../../sync.js';
import { sayNotices, scopeOptionsOf } from '../configuration.js';
import { withConnection } from '../connect.js';
import type { Context } from '../context.js';
import { replaceFile } from '../files.js';
import type { DumpValues } from '../options.js';

/** Writes what the gateway has to a file. */
export async function run(context: Context, values: DumpValues): Promise<number> {
  const { terminal } = context;
  const scope = scopeOptionsOf(values);
  const { state, notices } = await withConnection(values, context, { signal: context.signal }, ({ backend }) =>
    dumpState({ backend, scope }),
  );
  sayNotices(notices, context);
  const text = toYaml(dumpDocument(state, { withId: values.withId }));
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
