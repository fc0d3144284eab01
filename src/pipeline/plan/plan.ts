import type { Operation, Plan } from '../../model/operation.js';
import { drawEdges } from './edges.js';
import { adjacencyOf, topologicalOrder } from './graph.js';
import { breakRings } from './rings.js';

/**
 * Orders operations: one graph, no barriers, so that whatever is independent may run at once. The only place that knows
 * the order; its table stands in edges.ts. Pure and deterministic; time and memory grow with the operations and what
 * they refer to, not with their square.
 *
 * @throws Error where two operations share an id, which is a defect of the backend that made them
 */
export function plan(operations: readonly Operation[]): Plan {
  const { size, edges, joins } = drawEdges(operations);
  const unringed = breakRings(operations, size, edges);

  const nodes = new Map<number, Operation>(operations.entries());
  for (const [node, vacate] of unringed.vacates) nodes.set(node, vacate);
  const names = new Map<number, string>(joins.map((join) => [join.node, join.name]));
  for (const [node, operation] of nodes) names.set(node, operation.id);

  const backwards = adjacencyOf(
    unringed.size,
    unringed.edges.map(({ from, to }) => ({ from: to, to: from })),
  );
  const namedFor = new Int32Array(unringed.size).fill(-1);
  const waitsOf = (node: number): readonly string[] => {
    const waits: string[] = [];
    for (const from of backwards.targets.subarray(backwards.starts[node], backwards.starts[node + 1])) {
      // Two operations may have several things to do with each other; one wait says it all.
      if (namedFor[from] === node) continue;
      namedFor[from] = node;
      waits.push(names.get(from) ?? '');
    }
    return waits;
  };

  const ordered: Operation[] = [];
  const after = new Map<string, readonly string[]>();
  for (const node of topologicalOrder(unringed.size, unringed.edges)) {
    const operation = nodes.get(node);
    if (operation === undefined) continue;
    if (after.has(operation.id)) throw new Error(`two operations of a plan share the id ${operation.id}`);
    ordered.push(operation);
    after.set(operation.id, waitsOf(node));
  }
  return {
    operations: ordered,
    after,
    joins: new Map(joins.map((join) => [join.name, waitsOf(join.node)])),
  };
}
