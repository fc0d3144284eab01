import type { Operation, Plan, Precedence } from '../../model/operation.js';
import { drawEdges } from './edges.js';
import { adjacencyOf, topologicalOrder, type Adjacency } from './graph.js';
import { breakRings, type Unringed } from './rings.js';

/**
 * Orders operations: one graph, no barriers, so that whatever is independent may run at once. The only place that knows
 * the order; its table stands in edges.ts. Pure and deterministic; time and memory grow with the operations and what
 * they refer to, not with their square.
 *
 * @throws Error where two operations write, or two delete, the same object: a defect of the backend that made them
 */
export function plan(operations: readonly Operation[]): Plan {
  const { size, waiting, sorted, vacates } = sort(operations);
  if (sorted.length !== size) throw new Error('a plan holds a ring that was not broken');

  const ordered: Operation[] = [];
  const nodes: number[] = [];
  const joins: number[] = [];
  for (const node of sorted) {
    const operation = operations[node] ?? vacates.get(node);
    if (operation === undefined) joins.push(node);
    else {
      ordered.push(operation);
      nodes.push(node);
    }
  }
  for (const join of joins) nodes.push(join);
  return { operations: ordered, order: renumber(nodes, waiting) };
}

/** A graph without rings, and its nodes in an order in which each comes after all it waits for. */
interface Sorted extends Pick<Unringed, 'size' | 'vacates'> {
  readonly waiting: Adjacency;
  readonly sorted: Int32Array;
}

/** Rings are looked for only where the nodes cannot be sorted, which is rare. */
function sort(operations: readonly Operation[]): Sorted {
  const drawn: Unringed = { ...drawEdges(operations), vacates: new Map() };
  const first = sortGraph(drawn);
  return first.sorted.length === drawn.size ? first : sortGraph(breakRings(operations, drawn.size, drawn.edges));
}

function sortGraph({ size, edges, vacates }: Unringed): Sorted {
  const waiting = adjacencyOf(size, edges);
  return { size, vacates, waiting, sorted: topologicalOrder(size, waiting) };
}

/** The graph with each node under its place in a list of all nodes. */
function renumber(nodes: readonly number[], { starts, targets }: Adjacency): Precedence {
  const size = nodes.length;
  const places = new Int32Array(size);
  for (let place = 0; place < size; place += 1) places[nodes[place] ?? 0] = place;
  const begins = new Int32Array(size + 1);
  const dependents = new Int32Array(targets.length);
  let end = 0;
  for (let place = 0; place < size; place += 1) {
    const node = nodes[place] ?? 0;
    for (let at = starts[node] ?? 0; at < (starts[node + 1] ?? 0); at += 1) {
      dependents[end] = places[targets[at] ?? 0] ?? 0;
      end += 1;
    }
    begins[place + 1] = end;
  }
  return { size, starts: begins, dependents };
}
