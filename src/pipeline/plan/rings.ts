import type { Operation } from '../../model/operation.js';
import { listEdges, packEdges, ringsOf, type Edge, type Edges } from './graph.js';

/** A graph without rings, and the deletes that were put ahead of operations to break them. */
export interface Unringed {
  readonly size: number;
  readonly edges: Edges;
  /** By node of the delete, the delete. */
  readonly vacates: ReadonlyMap<number, Operation>;
}

interface Ring {
  readonly nodes: readonly number[];
  readonly edges: readonly Edge[];
}

interface Step {
  readonly dropped: ReadonlySet<Edge>;
  readonly added: readonly Edge[];
}

interface Neighbours {
  /** By node, the claim edges that leave it. */
  readonly gives: ReadonlyMap<number, readonly Edge[]>;
  /** By node, the order edges that reach it. */
  readonly needs: ReadonlyMap<number, readonly Edge[]>;
}

/**
 * Breaks every ring of a graph, changing as little as possible.
 *
 * 1. `serve` edges inside a ring give way: a moment without an answer is better than no plan.
 * 2. A ring of claims (A takes what B gives up, B what A gives up) is opened by the first operation of it that has a
 *    `vacate`: that delete gives up all that the operation gives up, and so stands before the others and before it.
 * 3. What still is a ring has nothing that can be moved. It is cut, and the gateway will say what it cannot do.
 */
export function breakRings(operations: readonly Operation[], size: number, drawn: Edges): Unringed {
  const found = ringsOf(size, drawn);
  if (found.count === 0) return { size, edges: drawn, vacates: new Map() };

  const { ringOf } = found;
  const edges = listEdges(drawn).filter(
    ({ rule, from, to }) => rule !== 'serve' || ringOf[from] === -1 || ringOf[from] !== ringOf[to],
  );
  const neighbours = indexOf(edges);
  const dropped = new Set<Edge>();
  const added: Edge[] = [];
  const vacates = new Map<number, Operation>();
  const vacated = new Set<number>();
  let next = size;

  const open = [
    ...ringsWithin(
      Array.from({ length: size }, (_, node) => node),
      edges,
    ),
  ];
  for (let ring = open.pop(); ring !== undefined; ring = open.pop()) {
    const opener = openerOf(ring, operations, vacated);
    const vacate = opener === undefined ? undefined : operations[opener]?.vacate;
    let { nodes } = ring;
    let step: Step;
    if (opener !== undefined && vacate !== undefined) {
      step = vacateStep(opener, next, neighbours, dropped);
      vacates.set(next, vacate);
      vacated.add(opener);
      nodes = [...nodes, next];
      next += 1;
    } else step = cutStep(ring);
    for (const edge of step.dropped) dropped.add(edge);
    for (const edge of step.added) added.push(edge);
    const left = [...ring.edges.filter((edge) => !step.dropped.has(edge)), ...step.added];
    for (const smaller of ringsWithin(nodes, left)) open.push(smaller);
  }
  return { size: next, edges: packEdges([...edges, ...added].filter((edge) => !dropped.has(edge))), vacates };
}

/** The rings among some nodes, each with the edges inside it; edges that lead elsewhere are ignored. */
function ringsWithin(nodes: readonly number[], edges: readonly Edge[]): readonly Ring[] {
  const places = new Map(nodes.map((node, place) => [node, place]));
  const inside: Edge[] = [];
  const renumbered: Edge[] = [];
  for (const edge of edges) {
    const from = places.get(edge.from);
    const to = places.get(edge.to);
    if (from === undefined || to === undefined) continue;
    inside.push(edge);
    renumbered.push({ from, to, rule: edge.rule });
  }
  const { ringOf, count } = ringsOf(nodes.length, packEdges(renumbered));
  const rings = Array.from({ length: count }, (): { nodes: number[]; edges: Edge[] } => ({ nodes: [], edges: [] }));
  for (const [place, node] of nodes.entries()) rings[ringOf[place] ?? -1]?.nodes.push(node);
  for (const [place, { from, to }] of renumbered.entries()) {
    const edge = inside[place];
    if (edge !== undefined && ringOf[from] === ringOf[to]) rings[ringOf[from] ?? -1]?.edges.push(edge);
  }
  return rings;
}

/** The first operation of a ring that gives something up inside it and can be vacated. */
function openerOf(ring: Ring, operations: readonly Operation[], vacated: ReadonlySet<number>): number | undefined {
  const giving = new Set(ring.edges.filter((edge) => edge.rule === 'claim').map((edge) => edge.from));
  return ring.nodes.find((node) => giving.has(node) && operations[node]?.vacate !== undefined && !vacated.has(node));
}

/**
 * Puts a delete ahead of an operation: what waited for the operation to give something up waits for the delete instead,
 * and the delete waits for all that the operation needs, so that nothing is vacated for an operation that cannot run.
 */
function vacateStep(opener: number, vacate: number, neighbours: Neighbours, gone: ReadonlySet<Edge>): Step {
  const dropped = new Set<Edge>();
  const added: Edge[] = [{ from: vacate, to: opener, rule: 'order' }];
  for (const edge of neighbours.gives.get(opener) ?? []) {
    if (gone.has(edge)) continue;
    dropped.add(edge);
    added.push({ from: vacate, to: edge.to, rule: 'claim' });
  }
  for (const edge of neighbours.needs.get(opener) ?? []) {
    if (!gone.has(edge)) added.push({ from: edge.from, to: vacate, rule: 'order' });
  }
  return { dropped, added };
}

/** Lets one operation of a ring no longer be waited for by the others: by those that want what it gives up, else by all. */
function cutStep(ring: Ring): Step {
  const claims = ring.edges.filter((edge) => edge.rule === 'claim');
  const candidates = claims.length > 0 ? claims : ring.edges;
  const from = candidates.reduce((least, edge) => Math.min(least, edge.from), Number.POSITIVE_INFINITY);
  return { dropped: new Set(candidates.filter((edge) => edge.from === from)), added: [] };
}

function indexOf(edges: readonly Edge[]): Neighbours {
  const gives = new Map<number, Edge[]>();
  const needs = new Map<number, Edge[]>();
  for (const edge of edges) {
    if (edge.rule === 'claim') append(gives, edge.from, edge);
    else if (edge.rule === 'order') append(needs, edge.to, edge);
  }
  return { gives, needs };
}

function append(index: Map<number, Edge[]>, node: number, edge: Edge): void {
  const list = index.get(node);
  if (list === undefined) index.set(node, [edge]);
  else list.push(edge);
}
