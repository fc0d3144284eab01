import type { Validation, ValidationIssue } from '../../backend/backend.js';
import { validationReport } from '../../pipeline/report/documents.js';
import { validateConfiguration } from '../../sync.js';
import { loadDesired, sayNotices, scopeOptionsOf } from '../configuration.js';
import { withConnection } from '../connect.js';
import type { Context } from '../context.js';
import type { ValidateValues } from '../options.js';
import { jsonText } from '../terminal.js';

/** How deep a validation looked, in words. */
const depths: Readonly<Record<Validation['depth'], string>> = {
  full: 'the gateway checked the whole configuration',
  'per-resource': 'the gateway checked each resource by itself',
  local: "checked here against the gateway's schemas",
};

/** Asks the gateway whether it would take the files. */
export async function run(context: Context, values: ValidateValues): Promise<number> {
  const { terminal } = context;
  const configuration = await loadDesired(values, scopeOptionsOf(values, context), context);
  const validation = await withConnection(values, context, ({ backend }) =>
    validateConfiguration({ backend, configuration }),
  );
  sayNotices(validation.notices, context);
  const valid = validation.issues.length === 0;
  if (values.output === 'json') {
    await terminal.print(jsonText(validationReport(validation)));
  }
  if (valid) {
    terminal.say(`${terminal.errorColors.green('✔')} the configuration is valid (${depths[validation.depth]})`);
    return 0;
  }
  const lines = [
    terminal.errorColors.red('Configuration validation failed:'),
    ...validation.issues.map((issue) => `  - [${issueName(issue)}]: ${issue.message}`),
    `(${depths[validation.depth]})`,
  ];
  terminal.say(lines.join('\n'), 0);
  return 1;
}

/** `routes, name="list"`, else by id and place. */
function issueName(issue: ValidationIssue): string {
  if (issue.name !== undefined) return `${issue.collection}, name="${issue.name}"`;
  const id = issue.id === undefined ? '' : `, id="${issue.id}"`;
  const index = issue.index === undefined ? '' : `, index=${issue.index}`;
  return `${issue.collection}${id}${index}`;
}
