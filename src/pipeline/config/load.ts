import { AdcError, type ErrorCode, type Problem } from '../../model/errors.js';
import { formatPath } from '../../model/json.js';
import type { Notice } from '../../model/notice.js';
import { expandFiles, readText, type StandardInput } from './files.js';
import { toProblems, type Finding, type Part } from './findings.js';
import { interpolate, type Environment } from './interpolate.js';
import { excerptOf, locateIn, type SourceText } from './locate.js';
import { formatOf, parseText } from './parse.js';
import { indexLines } from './lines.js';
import { inspectParts, type Configuration, type ResolveOptions } from './resolve.js';

/** What is loaded, and how. */
export interface LoadOptions extends ResolveOptions {
  /** Paths and globs, relative to `cwd`; `-` for standard input. None: `adc.yaml`. */
  readonly files: readonly string[];
  readonly cwd: string;
  /** For `${VAR}`; what `.env` sets is in it already. */
  readonly env: Environment;
  /** Standard input; by default that of the process. */
  readonly stdin?: StandardInput | undefined;
  /** Whether a variable that is not set is an empty string rather than an error. */
  readonly allowUnsetEnv: boolean;
}

/** How a problem of one code is summed up. */
const summaries: Readonly<Partial<Record<ErrorCode, string>>> = {
  file: 'the configuration cannot be read',
  syntax: 'the configuration cannot be parsed',
  unset_variable: 'the configuration uses variables that are not set',
};

function failWith(code: ErrorCode, problems: readonly Problem[]): AdcError {
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  const summary = summaries[code];
  return new AdcError(code, summary === undefined ? `the configuration has ${count}` : `${summary}: ${count}`, {
    problems,
  });
}

/** A part before its variables are filled in. */
interface WrittenPart extends Part {
  readonly file: string;
  /** Whether a string in it may hold `${`. */
  readonly hasVariables: boolean;
}

/** Reads and parses all files; every file that cannot be is a problem. */
async function readParts(
  options: LoadOptions,
): Promise<{ readonly parts: readonly WrittenPart[]; readonly texts: readonly SourceText[] }> {
  const { paths, problems: missing } = await expandFiles(options.files, options.cwd);
  const problems: Problem[] = [...missing];
  const parts: WrittenPart[] = [];
  const texts: SourceText[] = [];
  let code: ErrorCode = missing.length > 0 ? 'file' : 'syntax';
  for (const file of paths) {
    const read = await readText(file, options.stdin ?? (() => process.stdin));
    if (!read.ok) {
      problems.push(read.problem);
      code = 'file';
      continue;
    }
    const { text } = read;
    const format = formatOf(file, text);
    const parsed = parseText(text, format);
    if (parsed.ok) {
      const { document, isUsable, hasVariables } = parsed;
      parts.push({ file, document, isUsable, hasVariables });
      texts.push({ text, format });
    } else {
      const lines = indexLines(text);
      for (const problem of parsed.problems) {
        const excerpt = problem.line === undefined ? undefined : excerptOf(lines.textOf(problem.line));
        problems.push({ ...problem, file, ...(excerpt === undefined ? {} : { excerpt }) });
      }
    }
  }
  if (problems.length > 0) throw failWith(code, problems);
  return { parts, texts };
}

/**
 * Loads a configuration: reads the files, fills in variables, joins them, checks them, and resolves them to the desired
 * state. Every problem is reported at once, with file, line and column.
 *
 * @throws AdcError `file`, `syntax`, `unset_variable` or `lint`, with problems
 */
export async function loadConfiguration(options: LoadOptions): Promise<Configuration> {
  const { parts: written, texts } = await readParts(options);
  const findings: Finding[] = [];
  const notices: Notice[] = [];
  const unsetPlaces = new Set<string>();
  const parts = written.map(({ document, file, isUsable = false, hasVariables }, part): Part => {
    if (!hasVariables) return { file, document, isUsable };
    const filled = interpolate(document, options.env);
    for (const { name, path } of options.allowUnsetEnv ? [] : filled.unset) {
      findings.push({
        message: `the variable "${name}" is not set; set it, give it a default with \${${name}:-...}, or allow it with --allow-unset-env`,
        place: { part, path },
      });
      unsetPlaces.add(`${part} ${formatPath(path)}`);
    }
    for (const { name, path } of options.allowUnsetEnv ? filled.unset : []) {
      const message = `${file}: ${formatPath(path)}: the variable "${name}" is not set; it counts as empty`;
      notices.push({ level: 'warning', message });
    }
    for (const { name, path } of filled.empty) {
      notices.push({ level: 'info', message: `${file}: ${formatPath(path)}: the variable "${name}" is empty` });
    }
    // Filling in changes strings only.
    return { file, document: filled.document, isUsable };
  });
  const unset = findings.length;

  const { configuration, findings: found } = inspectParts(parts, options);
  for (const finding of found) {
    // The empty string that stands for a missing variable is no problem of its own.
    if (!unsetPlaces.has(`${finding.place.part} ${formatPath(finding.place.path)}`)) findings.push(finding);
  }
  if (findings.length > 0) {
    const problems = toProblems(findings, parts, locateIn(texts, written));
    throw failWith(findings.length === unset ? 'unset_variable' : 'lint', problems);
  }
  return notices.length === 0 ? configuration : { ...configuration, notices: [...configuration.notices, ...notices] };
}

/**
 * Checks a configuration as {@link loadConfiguration} does, adding no labels: what `adc lint` is.
 *
 * @throws AdcError as loadConfiguration
 */
export function lintConfiguration(
  options: Omit<LoadOptions, 'lint' | 'labels' | 'managedBy' | 'include' | 'exclude'>,
): Promise<Configuration> {
  return loadConfiguration({ ...options, lint: true, managedBy: false });
}
