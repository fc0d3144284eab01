import type { Change } from '../../model/change.js';
import { AdcError } from '../../model/errors.js';
import type { Json } from '../../model/json.js';
import type { Resource, State } from '../../model/resource.js';

/** The colour functions a text is built with: those of picocolors, or identity functions. */
export interface Palette {
  readonly red: Paint;
  readonly green: Paint;
  readonly yellow: Paint;
  readonly dim: Paint;
}

type Paint = (text: string) => string;

/** The longest value shown in a line, in characters. */
const longestValue = 160;

/** A value on one line, cut where it is long. Control characters come out escaped. */
export function valueText(value: Json): string {
  const text = escapeControls(JSON.stringify(value));
  return text.length <= longestValue
    ? text
    : `${text.slice(0, longestValue - 1)}… (${text.length.toLocaleString('en-US')} characters)`;
}

/** Text that came from elsewhere, made harmless for a terminal: control characters but line feeds and tabs are escaped. */
export function escapeControls(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replaceAll(/[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u2028\u2029]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

/** A name in quotes, as JSON has it, harmless for a terminal. Nearly every name needs nothing but the quotes. */
function quoted(name: string): string {
  return /^[\w ./:@*-]*$/.test(name) ? `"${name}"` : escapeControls(JSON.stringify(name));
}

/** `create service: "shop"`. */
export function changeTitle(change: Change): string {
  return `${change.type} ${change.kind}: ${quoted(change.name)}`;
}

/** What a changed resource belongs to, as a person wrote it: ` in service "shop"`; empty for what belongs to nothing. */
export function parentText(change: Change, states: readonly State[]): string {
  if (change.parentId === undefined) return '';
  const parent = parentOf(change.type === 'delete' ? change.current : change.desired, states);
  const kind = parent?.kind ?? (change.kind === 'consumer_credential' ? 'consumer' : 'service');
  return ` in ${kind} ${quoted(parent?.name ?? change.parentId)}`;
}

function parentOf(resource: Resource, states: readonly State[]): Resource | undefined {
  const key = resource.parent;
  if (key === undefined) return undefined;
  for (const { resources } of states) {
    const parent = resources.get(key);
    if (parent !== undefined) return parent;
  }
  return undefined;
}

/** The one readable line of a failure. */
export function errorText(error: unknown): string {
  if (error instanceof AdcError || error instanceof Error) return escapeControls(error.message);
  return escapeControls(String(error));
}

/** `3s`, `2m 5s`, `1h 0m`. */
export function durationText(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${seconds % 60}s`;
  return `${Math.floor(seconds / 3600)}h ${Math.floor((seconds % 3600) / 60)}m`;
}
