import { diffYaml } from '../../pipeline/report/diff-file.js';
import { diffReport } from '../../pipeline/report/documents.js';
import { readAndDiff } from '../../sync.js';
import { loadDesired, scopeOptionsOf } from '../configuration.js';
import { withConnection } from '../connect.js';
import type { Context } from '../context.js';
import { differenceLines, sayCircumstances } from '../differences.js';
import { replaceFile } from '../files.js';
import type { DiffValues } from '../options.js';
import { loadRemoteState, withRemoteState } from '../remote-state.js';
import { jsonText } from '../terminal.js';

/** What `--exit-code` ends with where there are differences. */
const differencesStatus = 2;

/** Shows what a sync would change. */
export async function run(context: Context, values: DiffValues): Promise<number> {
  const { terminal } = context;
  const scope = scopeOptionsOf(values, context);
  const remoteState = await loadRemoteState(values.remoteStateFile, context);
  const configuration = await loadDesired(values, scope, context);
  const difference = await withConnection(values, context, ({ backend }) =>
    readAndDiff({ backend: withRemoteState(backend, remoteState), configuration, scope }),
  );
  sayCircumstances(difference, context);
  if (values.output === 'json') {
    await terminal.print(jsonText(diffReport(difference)));
  } else if (terminal.level > 0) {
    await terminal.printLines(differenceLines(difference, terminal.colors));
  }
  const { showSecrets } = values;
  const written = await replaceFile(values.diffFile, diffYaml(difference, { showSecrets }), {
    directory: context.directory,
    secret: showSecrets,
  });
  terminal.say(`The whole diff is in ${written}`);
  const differs = difference.changes.length > 0 || difference.unsupported.size > 0;
  return values.exitCode && differs ? differencesStatus : 0;
}
