import {
  COLLECTION_STYLE,
  EVENT_ID,
  getScalarValue,
  parseEvents,
  SCALAR_STYLE,
  YAMLException,
  type Event,
} from 'js-yaml';
import type { JsonPath } from '../../model/json.js';
import { scanJson, type JsonVisitor } from './json-scan.js';
import { maxDepth } from './values.js';

/** A value of a text and where it begins; its children, if it has any. */
interface PositionNode {
  /** Offset of what stands for the value; -1 where only its key does (empty, block text, block collection). */
  start: number;
  /** Entries of a mapping by key. */
  members?: Map<string, Member>;
  /** What `<<` merges into a mapping: mappings, or lists of them. */
  merged?: PositionNode[];
  /** Items of a list. */
  items?: PositionNode[];
}

/** A key of a mapping and its value. */
interface Member {
  /** Offset of the key. */
  readonly keyStart: number;
  readonly node: PositionNode;
}

/** A key that stands in its mapping twice. */
interface DuplicateKey {
  readonly key: string;
  readonly offset: number;
  readonly firstOffset: number;
}

/** Where everything of a text is. */
export interface PositionTree {
  readonly root: PositionNode | undefined;
  readonly duplicates: readonly DuplicateKey[];
}

/** The offset at which the text of a node begins; undefined for an event that is no node or has no text. */
export function nodeOffset(event: Event | undefined): number | undefined {
  if (event === undefined || event.type === EVENT_ID.DOCUMENT || event.type === EVENT_ID.POP) return undefined;
  if (event.type === EVENT_ID.ALIAS) return event.anchorStart - 1;
  if (event.type !== EVENT_ID.SCALAR) return event.start;
  if (event.valueStart < 0) return undefined;
  const quoted = event.style === SCALAR_STYLE.SINGLE_QUOTED || event.style === SCALAR_STYLE.DOUBLE_QUOTED;
  return quoted ? event.valueStart - 1 : event.valueStart;
}

/** Offset to show for a value: a block begins below its key, and people look at the key. */
function shownOffset(event: Event): number {
  const block =
    event.type === EVENT_ID.SCALAR
      ? event.style === SCALAR_STYLE.LITERAL_BLOCK || event.style === SCALAR_STYLE.FOLDED_BLOCK
      : (event.type === EVENT_ID.MAPPING || event.type === EVENT_ID.SEQUENCE) && event.style === COLLECTION_STYLE.BLOCK;
  return block ? -1 : (nodeOffset(event) ?? -1);
}

interface Frame {
  readonly node: PositionNode;
  readonly start: number;
  /** The key that waits for its value. */
  key?: { readonly name: string; readonly start: number };
}

/** Lays out where everything of a YAML text is, from the events of its parser. */
export function indexYaml(events: readonly Event[], text: string): PositionTree {
  const duplicates: DuplicateKey[] = [];
  const anchors = new Map<string, PositionNode>();
  const frames: (Frame | undefined)[] = [];
  let root: PositionNode | undefined;

  const place = (node: PositionNode, start: number, scalar: string | undefined): void => {
    const frame = frames.at(-1);
    if (frame === undefined) root ??= node;
    else if (frame.node.items !== undefined) {
      if (node.start < 0) node.start = start;
      frame.node.items.push(node);
    } else if (frame.key === undefined) frame.key = { name: scalar ?? '', start };
    else {
      const { name, start: keyStart } = frame.key;
      delete frame.key;
      if (name === '<<') {
        (frame.node.merged ??= []).push(node);
        return;
      }
      const first = frame.node.members?.get(name);
      if (first !== undefined) duplicates.push({ key: name, offset: keyStart, firstOffset: first.keyStart });
      else frame.node.members?.set(name, { keyStart, node });
    }
  };

  for (const event of events) {
    switch (event.type) {
      case EVENT_ID.DOCUMENT:
        frames.push(undefined);
        break;
      case EVENT_ID.POP:
        frames.pop();
        break;
      case EVENT_ID.ALIAS: {
        const target = anchors.get(text.slice(event.anchorStart, event.anchorEnd));
        // What stands behind an alias is found at its anchor; the alias itself where it is used.
        place({ ...target, start: event.anchorStart - 1 }, event.anchorStart - 1, undefined);
        break;
      }
      case EVENT_ID.SCALAR:
      case EVENT_ID.SEQUENCE:
      case EVENT_ID.MAPPING: {
        const node: PositionNode = { start: shownOffset(event) };
        if (event.type === EVENT_ID.SEQUENCE) node.items = [];
        if (event.type === EVENT_ID.MAPPING) node.members = new Map();
        if (event.anchorStart >= 0) anchors.set(text.slice(event.anchorStart, event.anchorEnd), node);
        const start = nodeOffset(event) ?? -1;
        place(node, start, event.type === EVENT_ID.SCALAR ? getScalarValue(text, event) : undefined);
        if (event.type !== EVENT_ID.SCALAR) frames.push({ node, start });
        break;
      }
      default:
        break;
    }
  }
  return { root, duplicates };
}

/** Lays out where everything of a JSON text is. */
function indexJson(text: string): PositionTree {
  const frames: { readonly node: PositionNode; key?: { readonly name: string; readonly start: number } }[] = [];
  let root: PositionNode | undefined;
  const place = (node: PositionNode): void => {
    const frame = frames.at(-1);
    if (frame === undefined) root ??= node;
    else if (frame.node.items !== undefined) frame.node.items.push(node);
    else if (frame.key !== undefined) frame.node.members?.set(frame.key.name, { keyStart: frame.key.start, node });
  };
  const visitor: JsonVisitor = {
    open(shape, start) {
      const node: PositionNode = shape === 'list' ? { start, items: [] } : { start, members: new Map() };
      place(node);
      frames.push({ node });
    },
    key(name, start) {
      const frame = frames.at(-1);
      if (frame !== undefined) frame.key = { name, start };
    },
    scalar: (start) => place({ start }),
    close: () => void frames.pop(),
  };
  scanJson(text, maxDepth, visitor);
  return { root, duplicates: [] };
}

/** Lays out where everything of a text is. Empty for a text that cannot be read. */
export function indexText(text: string, format: 'yaml' | 'json'): PositionTree {
  if (format === 'json') return indexJson(text);
  try {
    return indexYaml(parseEvents(text, { maxDepth }), text);
  } catch (error) {
    if (error instanceof YAMLException) return { root: undefined, duplicates: [] };
    throw error;
  }
}

function memberOf(node: PositionNode, key: string): Member | undefined {
  const own = node.members?.get(key);
  if (own !== undefined) return own;
  for (const source of node.merged ?? []) {
    for (const mapping of source.items ?? [source]) {
      const member = memberOf(mapping, key);
      if (member !== undefined) return member;
    }
  }
  return undefined;
}

/**
 * Finds the offset of a path, or of the nearest thing around it that is in the text.
 *
 * @param at whether the last key of the path is meant or the value behind it
 */
export function offsetOf(tree: PositionTree, path: JsonPath, at: 'key' | 'value'): number {
  let node = tree.root;
  let offset = Math.max(node?.start ?? 0, 0);
  for (const [depth, step] of path.entries()) {
    if (node === undefined) break;
    if (typeof step === 'number') {
      const item: PositionNode | undefined = node.items?.[step];
      if (item === undefined) break;
      node = item;
      offset = item.start >= 0 ? item.start : offset;
    } else {
      const member = memberOf(node, step);
      if (member === undefined) break;
      node = member.node;
      const wantsKey = node.start < 0 || (at === 'key' && depth === path.length - 1);
      offset = wantsKey ? member.keyStart : node.start;
    }
  }
  return offset;
}
