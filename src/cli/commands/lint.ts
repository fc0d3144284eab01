import { AdcError } from '../../model/errors.js';
import { lintConfiguration } from '../../pipeline/config/load.js';
import { lintReport } from '../../pipeline/report/documents.js';
import { sayNotices } from '../configuration.js';
import type { Context } from '../context.js';
import type { LintValues } from '../options.js';
import { jsonText } from '../terminal.js';

/** Checks files without a gateway. */
export async function run(context: Context, values: LintValues): Promise<number> {
  const { terminal } = context;
  const json = values.output === 'json';
  try {
    const { notices, state } = await lintConfiguration({
      files: values.file,
      cwd: context.directory,
      env: context.env,
      stdin: context.stdin,
      allowUnsetEnv: values.allowUnsetEnv,
    });
    if (json) await terminal.print(jsonText(lintReport([], notices)));
    sayNotices(notices, context);
    const count = state.resources.size;
    terminal.say(
      `${terminal.errorColors.green('✔')} the configuration is valid: ${count} ${count === 1 ? 'resource' : 'resources'}`,
    );
    return 0;
  } catch (error) {
    if (json && error instanceof AdcError && error.problems.length > 0) {
      await terminal.print(jsonText(lintReport(error.problems)));
    }
    throw error;
  }
}
