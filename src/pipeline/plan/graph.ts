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

/** By node, the nodes its edges lead to, in the order of the edges: `targets[starts[node] .. starts[node + 1]]`. */
export interface Adjacency {
  readonly starts: Int32Array;
  readonly targets: Int32Array;
}

/** Lays edges out by the node they leave. */
export function adjacencyOf(size: number, edges: readonly Pick<Edge, 'from' | 'to'>[]): Adjacency {
  const starts = new Int32Array(size + 1);
  for (const edge of edges) starts[edge.from + 1] = (starts[edge.from + 1] ?? 0) + 1;
  for (let node = 0; node < size; node += 1) starts[node + 1] = (starts[node + 1] ?? 0) + (starts[node] ?? 0);
  const next = starts.slice();
  const targets = new Int32Array(edges.length);
  for (const edge of edges) {
    const place = next[edge.from] ?? 0;
    targets[place] = edge.to;
    next[edge.from] = place + 1;
  }
  return { starts, targets };
}

/**
 * Finds the rings of a graph: the strongly connected components of more than one node (Tarjan, without recursion).
 *
 * @returns by node, the number of its ring from 0, or -1; and how many rings there are
 */
export function ringsOf(size: number, edges: readonly Edge[]): { readonly ringOf: Int32Array; readonly count: number } {
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

/** Sorts the nodes so that each comes after all it waits for, and otherwise as early as its number lets it. */
export function topologicalOrder(size: number, edges: readonly Edge[]): readonly number[] {
  const { starts, targets } = adjacencyOf(size, edges);
  const waits = new Int32Array(size);
  for (const edge of edges) waits[edge.to] = (waits[edge.to] ?? 0) + 1;
  const order: number[] = [];
  for (let node = 0; node < size; node += 1) if (waits[node] === 0) order.push(node);
  for (let head = 0; head < order.length; head += 1) {
    const node = order[head] ?? 0;
    for (let place = starts[node] ?? 0; place < (starts[node + 1] ?? 0); place += 1) {
      const target = targets[place] ?? 0;
      waits[target] = (waits[target] ?? 0) - 1;
      if (waits[target] === 0) order.push(target);
    }
  }
  if (order.length !== size) throw new Error('a plan holds a ring that was not broken');
  return order;
}
