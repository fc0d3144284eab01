import type { LabelSelector } from '../model/labels.js';
import type { Notice } from '../model/notice.js';
import { collections } from '../pipeline/config/collections.js';
import { loadConfiguration } from '../pipeline/config/load.js';
import type { Configuration } from '../pipeline/config/resolve.js';
import { parseLabelSelector } from '../pipeline/config/selector.js';
import type { Context } from './context.js';
import type { ScopeValues } from './options.js';

/** What the flags say of the resources that count. */
export interface ScopeOptions {
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly labels?: LabelSelector;
}

/** The words of `--include-resource-type` that stand for a collection of a file; the others are nested in one, or are nothing here. */
const selecting: ReadonlySet<string> = new Set(collections.map(({ kind }) => kind));

/**
 * Reads the scope flags. Warns of words that do not do what they seem to.
 *
 * @throws AdcError `usage` for a selector that is none
 */
export function scopeOptionsOf(values: ScopeValues, { terminal }: Context): ScopeOptions {
  const labels = parseLabelSelector(values.labelSelector);
  const { includeResourceType: include, excludeResourceType: exclude } = values;
  const warn = (message: string): void => terminal.say(`${terminal.errorColors.yellow('Warning:')} ${message}`);
  if (include.length > 0 && !include.some((word) => selecting.has(word))) {
    warn(`--include-resource-type ${include.join(', ')} selects nothing: what is nested goes with its ${nestedIn}`);
  }
  const idle = exclude.filter((word) => !selecting.has(word));
  if (idle.length > 0) {
    warn(`--exclude-resource-type ${idle.join(', ')} has no effect: what is nested goes with its ${nestedIn}`);
  }
  return {
    ...(include.length === 0 ? {} : { include }),
    ...(exclude.length === 0 ? {} : { exclude }),
    ...(labels === undefined ? {} : { labels }),
  };
}

const nestedIn = 'service or consumer';

/** What the flags say of the files. */
interface FileValues {
  readonly file: readonly string[];
  readonly allowUnsetEnv: boolean;
}

/**
 * Loads the desired state that the flags name.
 *
 * @throws AdcError with every problem of the files
 */
export function loadDesired(
  values: FileValues & { readonly lint: boolean; readonly managedByLabel: boolean },
  scope: ScopeOptions,
  context: Context,
): Promise<Configuration> {
  return loadConfiguration({
    files: values.file,
    cwd: context.directory,
    env: context.env,
    stdin: context.stdin,
    allowUnsetEnv: values.allowUnsetEnv,
    lint: values.lint,
    managedBy: values.managedByLabel,
    ...scope,
  });
}

/** Says warnings at verbosity 1 and the rest at 2. */
export function sayNotices(notices: readonly Notice[], context: Context): void {
  const { terminal } = context;
  for (const { level, message } of notices) {
    if (level === 'warning') terminal.say(`${terminal.errorColors.yellow('Warning:')} ${message}`);
    else terminal.say(terminal.errorColors.dim(message), 2);
  }
}
