import { AdcError } from '../../model/errors.js';
import type { Json, JsonObject } from '../../model/json.js';
import type { Kind } from '../../model/kinds.js';
import { managedByLabel, type LabelSelector } from '../../model/labels.js';
import type { Notice } from '../../model/notice.js';
import type { State } from '../../model/resource.js';
import { collections, isIncluded } from './collections.js';
import { toProblems, type Finding, type Part } from './findings.js';
import { flatten } from './flatten.js';
import { addLimitNotices } from './limits.js';
import { lintDocument } from './lint.js';
import { mergeParts } from './merge.js';
import { findUnusable } from './values.js';

/** The desired state, and what else is known of the configuration it came from. */
export interface Configuration {
  readonly state: State;
  /** Kinds whose top-level key is in the document, even as an empty collection. */
  readonly mentioned: ReadonlySet<Kind>;
  /** What a person should know: limits of gateways, variables that are empty. */
  readonly notices: readonly Notice[];
}

/** How a document becomes a state. */
export interface ResolveOptions {
  /** Whether the schema is checked, defaults are filled in and numbers coerced. Without it raw values travel. */
  readonly lint: boolean;
  /** Label selector: written into every kind that it filters. */
  readonly labels?: LabelSelector | undefined;
  /** Whether `managed-by: adc` is written, unless the selector has a value of its own for it. */
  readonly managedBy: boolean;
  /** Only the collections of these words; an empty list counts as absent, a word without a collection selects none. */
  readonly include?: readonly string[] | undefined;
  readonly exclude?: readonly string[] | undefined;
}

/** What came out of looking at the parts: a configuration, if there are no findings. */
export interface Inspection {
  readonly configuration: Configuration;
  readonly findings: readonly Finding[];
}

function labelsOf({ labels, managedBy }: ResolveOptions): LabelSelector {
  return managedBy ? { [managedByLabel.key]: managedByLabel.value, ...labels } : { ...labels };
}

/** Looks at the parts of a configuration as one. Throws nothing: whatever is wrong is a finding. */
export function inspectParts(parts: readonly Part[], options: ResolveOptions): Inspection {
  const findings: Finding[] = [];
  parts.forEach(({ document, isUsable = false }, part) => {
    if (isUsable) return;
    for (const { message, path, at } of findUnusable(document)) {
      findings.push({ message, place: { part, path, ...(at === undefined ? {} : { at }) } });
    }
  });
  if (findings.length > 0) return { configuration: emptyConfiguration, findings };

  const merged = mergeParts(parts);
  findings.push(...merged.findings);
  const included: Record<string, Json> = {};
  const mentioned = new Set<Kind>();
  for (const { key, kind } of collections) {
    const value = merged.document[key];
    if (value === undefined) continue;
    mentioned.add(kind);
    if (isIncluded(kind, options.include, options.exclude)) included[key] = value;
  }

  let document: JsonObject = included;
  if (options.lint) {
    const linted = lintDocument(included);
    if (linted.ok) document = linted.document;
    else {
      for (const { message, path, key } of linted.errors) {
        const place = merged.placeOf(key === undefined ? path : [...path, key]);
        if (key === undefined) findings.push({ message, place });
        else findings.push({ message, place: { ...place, at: 'key' }, path: place.path.slice(0, -1) });
      }
    }
  }

  const flattened = flatten(merged, document, parts, {
    labels: labelsOf(options),
    wants: (kind) => isIncluded(kind, options.include, options.exclude),
    reportShapes: !options.lint,
  });
  for (const finding of flattened.findings) findings.push(finding);
  const { resources } = flattened;
  const notices: Notice[] = [];
  if (options.lint) for (const resource of resources.values()) addLimitNotices(resource, notices);
  return { configuration: { state: { resources }, mentioned, notices }, findings };
}

const emptyConfiguration: Configuration = { state: { resources: new Map() }, mentioned: new Set(), notices: [] };

/**
 * Resolves a parsed document (of a request, of a program) to the desired state. The document is not changed and may be
 * frozen; the state refers to parts of it.
 *
 * @throws AdcError `lint` with every problem and the path of each
 */
export function resolveConfiguration(document: unknown, options: ResolveOptions): Configuration {
  const parts: readonly Part[] = [{ document }];
  const { configuration, findings } = inspectParts(parts, options);
  if (findings.length > 0) {
    const problems = toProblems(findings, parts);
    const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
    throw new AdcError('lint', `the configuration has ${count}`, { problems });
  }
  return configuration;
}
