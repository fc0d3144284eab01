import type { Notice } from '../../model/notice.js';
import { isSame } from '../shared/values.js';
import { isJsonObject, type Json } from '../../model/json.js';
import { idOf, isBlank, withoutIndex, type Document } from './document.js';

/** An instance and what it holds. */
export interface Held {
  readonly server: string;
  readonly document: Document;
}

/** Says of each instance that holds something else than the newest in what they differ. Versions do not count. */
export function describeDifferences(newest: Held, others: readonly Held[]): readonly Notice[] {
  return others.flatMap(({ server, document }): Notice[] => {
    if (document === newest.document) return [];
    if (isBlank(document)) {
      const message = `${server} holds nothing, ${newest.server} does: it has probably restarted`;
      return isBlank(newest.document) ? [] : [{ level: 'warning', message }];
    }
    const differences = differencesOf(newest.document, document);
    if (differences.length === 0) return [];
    const message = `${server} differs from ${newest.server}, the newest: ${differences.join('; ')}`;
    return [{ level: 'warning', message }];
  });
}

const shownIds = 3;

function differencesOf(newest: Document, other: Document): readonly string[] {
  const names = new Set([...newest.sections.keys(), ...other.sections.keys()]);
  return [...names].flatMap((name) => {
    const ours = newest.sections.get(name)?.items ?? [];
    const theirs = other.sections.get(name)?.items ?? [];
    if (ours === theirs) return [];
    const wanted = new Map(ours.map((item) => [idOf(item) ?? '', item]));
    const held = new Map(theirs.map((item) => [idOf(item) ?? '', item]));
    const missing = [...wanted.keys()].filter((id) => !held.has(id));
    const extra = [...held.keys()].filter((id) => !wanted.has(id));
    const differing = [...held].flatMap(([id, item]) =>
      wanted.has(id) && !isSame(plain(wanted.get(id)), plain(item)) ? [id] : [],
    );
    const parts = [listed('lacks', missing), listed('has besides', extra), listed('has another form of', differing)];
    const said = parts.filter((part) => part !== '');
    return said.length === 0 ? [] : [`${name}: ${said.join(', ')}`];
  });
}

function plain(item: Json | undefined): Json | undefined {
  return isJsonObject(item) ? withoutIndex(item) : item;
}

function listed(what: string, ids: readonly string[]): string {
  if (ids.length === 0) return '';
  const more = ids.length > shownIds ? ` and ${ids.length - shownIds} more` : '';
  return `${what} ${ids.slice(0, shownIds).join(', ')}${more}`;
}
