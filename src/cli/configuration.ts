import { AdcError } from '../model/errors.js';
import { isKind, type Kind } from '../model/kinds.js';
import type { LabelSelector } from '../model/labels.js';
import type { Notice } from '../model/notice.js';
import { loadConfiguration } from '../pipeline/config/load.js';
import type { Configuration } from '../pipeline/config/resolve.js';
import { parseLabelSelector } from '../pipeline/config/selector.js';
import type { Context } from './context.js';
import type { ResourceTypeWord, ScopeValues } from './options.js';

/** What the flags say of the resources that count. */
export interface ScopeOptions {
  readonly include?: readonly Kind[];
  readonly exclude?: readonly Kind[];
  readonly labels?: LabelSelector;
}

/**
 * Reads the scope flags.
 *
 * @throws AdcError `usage` for a selector that is none, and for a type to include that no configuration has
 */
export function scopeOptionsOf(values: ScopeValues): ScopeOptions {
  const labels = parseLabelSelector(values.labelSelector);
  const include = kindsOf(values.includeResourceType);
  const exclude = kindsOf(values.excludeResourceType);
  if (include.length === 0 && values.includeResourceType.length > 0) {
    throw new AdcError('usage', '--include-resource-type stream_service: these gateways have no such resources');
  }
  return {
    ...(include.length === 0 ? {} : { include }),
    ...(exclude.length === 0 ? {} : { exclude }),
    ...(labels === undefined ? {} : { labels }),
  };
}

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
    stdin: () => context.stdin,
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

function kindsOf(words: readonly ResourceTypeWord[]): readonly Kind[] {
  return words.filter(isKind);
}
