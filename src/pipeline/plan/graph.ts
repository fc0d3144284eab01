/**
 * Why one operation waits for another.
 *
 * - `order`: references, releases and the like; the gateway refuses any other order
 * - `claim`: gives up what the other takes
 * - `serve`: answers traffic that the other stops answering; a wish, not a must
 */
export type Rule = 'order' | 'claim' | 'serve';

/** `to` waits for `from`. Nodes are numbers from 0. */
export interface Edge {
  readonly from: number;
  readonly to: number;
  readonly rule: Rule;
}

/** Edges in the order they were drawn, side by side in numbers: plans have many. */
export interface Edges {
  readonly count: number;
  /** Only the first `count` mean something; so of the others. */
  readonly from: Int32Array;
  readonly to: Int32Array;
  /** Places in {@link rules}. */
  readonly rule: Uint8Array;
}

const rules: readonly Rule[] = ['order', 'claim', 'serve'];

/** Draws edges one after the other. */
export interface Pencil {
  draw(from: number, to: number, rule: Rule): void;
  /** All that was drawn so far. */
  edges(): Edges;
}

/** Starts with no edge. */
export function createPencil(): Pencil {
  let from = new Int32Array(1024);
  let to = new Int32Array(1024);
  let rule = new Uint8Array(1024);
  let count = 0;
  const grow = (): void => {
    const [oldFrom, oldTo, oldRule] = [from, to, rule];
    from = new Int32Array(2 * count);
    to = new Int32Array(2 * count);
    rule = new Uint8Array(2 * count);
    from.set(oldFrom);
    to.set(oldTo);
    rule.set(oldRule);
  };
  return {
    draw: (first, later, why) => {
      if (count === from.length) grow();
      from[count] = first;
      to[count] = later;
      rule[count] = rules.indexOf(why);
      count += 1;
    },
    edges: () => ({ count, from, to, rule }),
  };
}

/** Edges one by one. */
export function listEdges({ count, from, to, rule }: Edges): readonly Edge[] {
  return Array.from({ length: count }, (_, place) => ({
    from: from[place] ?? 0,
    to: to[place] ?? 0,
    rule: rules[rule[place] ?? 0] ?? 'order',
  }));
}

/** What {@link listEdges} takes apart, put together. */
export function packEdges(edges: readonly Edge[]): Edges {
  const pencil = createPencil();
  for (const { from, to, rule } of edges) pencil.draw(from, to, rule);
  return pencil.edges();
}

/** By node, the nodes its edges lead to, in the order of the edges: `targets[starts[node] .. starts[node + 1]]`. */
export interface Adjacency {
  readonly starts: Int32Array;
  readonly targets: Int32Array;
}

/** Lays edges out by the node they leave. */
export function adjacencyOf(size: number, { count, from, to }: Pick<Edges, 'count' | 'from' | 'to'>): Adjacency {
  const starts = new Int32Array(size + 1);
  for (let edge = 0; edge < count; edge += 1) {
    const after = (from[edge] ?? 0) + 1;
    starts[after] = (starts[after] ?? 0) + 1;
  }
  for (let node = 0; node < size; node += 1) starts[node + 1] = (starts[node + 1] ?? 0) + (starts[node] ?? 0);
  const next = starts.slice();
  const targets = new Int32Array(count);
  for (let edge = 0; edge < count; edge += 1) {
    const node = from[edge] ?? 0;
    const place = next[node] ?? 0;
    targets[place] = to[edge] ?? 0;
    next[node] = place + 1;
  }
  return { starts, targets };
}

/**
 * Finds the rings of a graph: the strongly connected components of more than one node (Tarjan, without recursion).
 *
 * @returns by node, the number of its ring from 0, or -1; and how many rings there are
 */
export function ringsOf(size: number, edges: Edges): { readonly ringOf: Int32Array; readonly count: number } {
  const { starts, targets } = adjacencyOf(size, edges);
  const index = new Int32Array(size).fill(-1);
  const low = new Int32Array(size);
  const onStack = new Uint8Array(size);
  const cursor = new Int32Array(size);
  const ringOf = new Int32Array(size).fill(-1);
  const stack: number[] = [];
  const calls: number[] = [];
  let visited = 0;
  let count = 0;

  const enter = (node: number): void => {
    index[node] = visited;
    low[node] = visited;
    visited += 1;
    cursor[node] = starts[node] ?? 0;
    stack.push(node);
    onStack[node] = 1;
    calls.push(node);
  };
  const leave = (node: number): void => {
    calls.pop();
    const caller = calls.at(-1);
    if (caller !== undefined) low[caller] = Math.min(low[caller] ?? 0, low[node] ?? 0);
    if (low[node] !== index[node]) return;
    const isRing = stack.at(-1) !== node;
    let member = stack.pop();
    while (member !== undefined) {
      onStack[member] = 0;
      if (isRing) ringOf[member] = count;
      if (member === node) break;
      member = stack.pop();
    }
    if (isRing) count += 1;
  };

  for (let root = 0; root < size; root += 1) {
    if (index[root] !== -1) continue;
    enter(root);
    for (let node = calls.at(-1); node !== undefined; node = calls.at(-1)) {
      const place = cursor[node] ?? 0;
      if (place >= (starts[node + 1] ?? 0)) {
        leave(node);
        continue;
      }
      cursor[node] = place + 1;
      const target = targets[place] ?? 0;
      if (index[target] === -1) enter(target);
      else if (onStack[target] === 1) low[node] = Math.min(low[node] ?? 0, index[target] ?? 0);
    }
  }
  return { ringOf, count };
}

/**
 * Sorts the nodes so that each comes after all it waits for, and otherwise as early as its number lets it. Nodes of a ring,
 * and those that wait for one, are left out.
 */
export function topologicalOrder(size: number, { starts, targets }: Adjacency): Int32Array {
  const waits = new Int32Array(size);
  for (const target of targets) waits[target] = (waits[target] ?? 0) + 1;
  const order = new Int32Array(size);
  let length = 0;
  for (let node = 0; node < size; node += 1) {
    if (waits[node] !== 0) continue;
    order[length] = node;
    length += 1;
  }
  for (let head = 0; head < length; head += 1) {
    const node = order[head] ?? 0;
    for (let place = starts[node] ?? 0; place < (starts[node + 1] ?? 0); place += 1) {
      const target = targets[place] ?? 0;
      const left = (waits[target] ?? 0) - 1;
      waits[target] = left;
      if (left > 0) continue;
      order[length] = target;
      length += 1;
    }
  }
  return order.subarray(0, length);
}
