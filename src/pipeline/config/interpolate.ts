import type { JsonPath } from '../../model/json.js';
import { maxDepth } from './values.js';

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A variable that is used and not set, or set and empty. */
interface VariableUse {
  readonly name: string;
  readonly path: JsonPath;
}

/** A document with its variables filled in. */
export interface Interpolated {
  /** The document itself where it uses no variable; it is never changed. */
  readonly document: unknown;
  readonly unset: readonly VariableUse[];
  readonly empty: readonly VariableUse[];
}

/** `\${NAME}`, `${NAME}`, `${NAME:-default}`: anything else is left alone. */
const pattern = /(\\?)\$\{([A-Za-z0-9_]+)(:-([^}]*))?\}/g;

/**
 * Fills in the variables of one text: one pass, no recursion.
 *
 * @param onUse called for each variable without default that is not set (`undefined`) or empty
 */
export function interpolateText(
  text: string,
  env: Environment,
  onUse: (name: string, value: string | undefined) => void,
): string {
  return text.replace(
    pattern,
    (whole, escaped: string, name: string, hasDefault: string | undefined, fallback = '') => {
      if (escaped !== '') return whole.slice(1);
      const value = Object.hasOwn(env, name) ? env[name] : undefined;
      if (value !== undefined && value !== '') return value;
      if (hasDefault !== undefined) return String(fallback);
      onUse(name, value);
      return '';
    },
  );
}

/** Fills in the variables of all string values of a document, at any depth; keys are left alone. */
export function interpolate(document: unknown, env: Environment): Interpolated {
  const unset: VariableUse[] = [];
  const empty: VariableUse[] = [];
  const path: (string | number)[] = [];

  const visit = (value: unknown): unknown => {
    if (typeof value === 'string') {
      if (!value.includes('${')) return value;
      return interpolateText(value, env, (name, found) => {
        (found === undefined ? unset : empty).push({ name, path: [...path] });
      });
    }
    // What is nested deeper is refused later on, with its path.
    if (typeof value !== 'object' || value === null || path.length > maxDepth) return value;
    if (Array.isArray(value)) {
      let changed: unknown[] | undefined;
      for (let index = 0; index < value.length; index++) {
        path.push(index);
        const before: unknown = value[index];
        const after = visit(before);
        path.pop();
        if (after !== before) {
          changed ??= value.slice();
          changed[index] = after;
        }
      }
      return changed ?? value;
    }
    let changed: Record<string, unknown> | undefined;
    for (const [key, before] of Object.entries(value)) {
      path.push(key);
      const after = visit(before);
      path.pop();
      if (after !== before) {
        changed ??= { ...value };
        changed[key] = after;
      }
    }
    return changed ?? value;
  };
  return { document: visit(document), unset, empty };
}
