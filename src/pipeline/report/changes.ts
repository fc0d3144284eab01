import type { Change, FieldChange, Unmanaged } from '../../model/change.js';
import { formatPath, type Json } from '../../model/json.js';
import type { State } from '../../model/resource.js';
import { emptiedText, type EmptiedCollection } from './emptied.js';
import { isHiddenEdit, maskFields } from './masking.js';
import { changeTitle, escapeControls, parentText, valueText, type Palette } from './words.js';

/** What the lines about changes are made of. */
export interface ChangeText {
  readonly colors: Palette;
  /** Where names of parents are looked up: the desired state, then the current one. */
  readonly states: readonly State[];
  /** Default false. */
  readonly showSecrets?: boolean;
}

const signs = { create: '+', update: '~', delete: '-' } as const;

/**
 * The lines that show one change: its title, then every field that differs, old → new. Secrets are masked and long
 * values cut.
 */
export function changeLines(change: Change, { colors, states, showSecrets = false }: ChangeText): readonly string[] {
  const paint = { create: colors.green, update: colors.yellow, delete: colors.red }[change.type];
  const title = `${paint(`${signs[change.type]} ${changeTitle(change)}`)}${colors.dim(parentText(change, states))}`;
  if (change.type !== 'update') return [title];
  const lines = [title];
  if (change.takesOver !== undefined) lines.push(colors.dim(`    takes it over: ${escapeControls(change.takesOver)}`));
  if (change.fields.length === 0) lines.push(colors.dim('    sent again, nothing that can be seen differs'));
  for (const field of maskFields(change, showSecrets)) lines.push(fieldLine(field, showSecrets, colors));
  return lines;
}

function fieldLine(field: FieldChange, showSecrets: boolean, colors: Palette): string {
  const path = escapeControls(formatPath(field.kind === 'A' ? [...field.path, field.index] : field.path));
  if (field.kind === 'E') {
    const hidden = !showSecrets && isHiddenEdit(field);
    const values = `${colors.red(valueText(field.lhs))} → ${colors.green(valueText(field.rhs))}`;
    return `    ${colors.yellow('~')} ${path}: ${hidden ? colors.dim('a secret that differs') : values}`;
  }
  const item = field.kind === 'A' ? field.item : field;
  return item.kind === 'N' ? added(path, item.rhs, colors) : removed(path, item.lhs, colors);
}

function added(path: string, value: Json, colors: Palette): string {
  return `    ${colors.green('+')} ${path}: ${colors.green(valueText(value))}`;
}

function removed(path: string, value: Json, colors: Palette): string {
  return `    ${colors.red('-')} ${path}: ${colors.red(valueText(value))}`;
}

/** How many changes of each type there are. */
export function countChanges(changes: readonly Change[]): Readonly<Record<Change['type'], number>> {
  const counts = { create: 0, update: 0, delete: 0 };
  for (const change of changes) counts[change.type] += 1;
  return counts;
}

/** `Summary: 1 will be created, 1 will be updated, 1 will be deleted`. */
export function changeSummary(changes: readonly Change[]): string {
  const counts = countChanges(changes);
  return `Summary: ${counts.create} will be created, ${counts.update} will be updated, ${counts.delete} will be deleted`;
}

/** A warning for each collection that a diff empties: `Warning: all 12 services will be deleted`. */
export function emptiedLines(emptied: readonly EmptiedCollection[], colors: Palette): readonly string[] {
  return emptied.map((collection) => `${colors.red('Warning:')} ${emptiedText(collection)}`);
}

/**
 * A line for each current resource that is left alone, with the reason; for people who asked for details. What no
 * configuration can hold has a notice of its own.
 */
export function unmanagedLines(unmanaged: Unmanaged, current: State): readonly string[] {
  const lines: string[] = [];
  for (const [key, reason] of unmanaged) {
    const resource = current.resources.get(key);
    if (resource === undefined || current.outside?.has(key) === true) continue;
    lines.push(escapeControls(`left alone: ${resource.kind} ${JSON.stringify(resource.name)}: ${reason}`));
  }
  return lines;
}
