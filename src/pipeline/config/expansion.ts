/**
 * Says why a document with anchors cannot be used: an alias inside what it stands for, or more values than the limit
 * once every alias is written out. Linear in what is stored, however often it is shared.
 */
export function findExpansion(document: unknown, limit: number): string | undefined {
  const sizes = new Map<object, number>();
  const open = new Set<object>();
  /** The number of values; -1 for a cycle, or for a chain of aliases so long that no reader would get to its end. */
  const measure = (value: unknown, depth: number): number => {
    if (typeof value !== 'object' || value === null) return 1;
    const known = sizes.get(value);
    if (known !== undefined) return known;
    if (open.has(value) || depth > 1000) return -1;
    open.add(value);
    let size = 1;
    for (const child of Array.isArray(value) ? value : Object.values(value)) {
      const inner = measure(child, depth + 1);
      if (inner < 0) return -1;
      size += inner;
    }
    open.delete(value);
    sizes.set(value, size);
    return size;
  };
  const size = measure(document, 0);
  if (size < 0) return 'an alias stands inside what it refers to, or aliases nest without end';
  if (size > limit) return `the aliases of this file stand for ${size} values; at most ${limit} are read`;
  return undefined;
}
