import type { JsonPath } from '../../model/json.js';
import { kindOf } from './merge.js';

/** How deep a document may nest: no real configuration comes near, and what walks it stays far from the stack's end. */
export const maxDepth = 100;

/** A value that no gateway could be sent. */
export interface Unusable {
  readonly message: string;
  readonly path: JsonPath;
  readonly at?: 'key';
}

/**
 * Finds what no JSON document can hold or what must not become an object's key: numbers that are not finite, values of
 * other types, the key `__proto__`, and nesting beyond {@link maxDepth}.
 */
export function findUnusable(document: unknown): Unusable[] {
  const found: Unusable[] = [];
  const path: (string | number)[] = [];
  const visit = (value: unknown): void => {
    switch (typeof value) {
      case 'string':
      case 'boolean':
      case 'undefined':
        return;
      case 'number':
        if (!Number.isFinite(value))
          found.push({ message: `${value} is not a number that JSON can hold`, path: [...path] });
        return;
      case 'object':
        break;
      default:
        found.push({ message: `Invalid input: ${kindOf(value)} is not a JSON value`, path: [...path] });
        return;
    }
    if (value === null) return;
    if (path.length >= maxDepth) {
      found.push({ message: `nested deeper than ${maxDepth} levels`, path: [...path] });
      return;
    }
    if (Array.isArray(value)) {
      for (let index = 0; index < value.length; index++) {
        path.push(index);
        visit(value[index]);
        path.pop();
      }
      return;
    }
    for (const key of Object.keys(value)) {
      path.push(key);
      if (key === '__proto__')
        found.push({ message: 'the key "__proto__" cannot be used', path: [...path], at: 'key' });
      else visit((value as Readonly<Record<string, unknown>>)[key]);
      path.pop();
    }
  };
  visit(document);
  return found;
}
