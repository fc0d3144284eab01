import type { Operation } from '../../model/operation.js';
import type { Edge, Rule } from './graph.js';

/*
 * The table of edges. "X before Y" means: Y starts only after X has succeeded. All within one endpoint.
 *
 *   X                                  Y                                    why                               rule
 *   ---------------------------------  -----------------------------------  --------------------------------  -----
 *   PUT of an object                   PUT that references the object       the gateway checks references     order
 *   PUT or DELETE that releases an     DELETE of the object                 the gateway checks uses           order
 *     object
 *   DELETE of an object                PUT of the same object               it shall exist in the end         order
 *   operation that frees a word        operation that claims the word       the word may exist only once      claim
 *   PUT that serves a word             DELETE that serves the word          traffic must find an answer       serve
 *
 *        create/update                          delete
 *   ssl ─▶ upstream ─▶ service ─▶ route ═══▶ route ─▶ service ─▶ upstream ─▶ ssl
 *             (references)          serves          (releases)
 *
 * Where these make a ring, `serve` edges inside it give way first, then `claim` edges are moved to a `vacate` that runs
 * ahead of its operation, and what still is a ring is cut: see rings.ts.
 */

/** A stand-in for many operations that the same many others wait for: product becomes sum. */
export interface Join {
  readonly name: string;
  readonly node: number;
}

/** The graph before its rings are broken. Nodes are the operations by their place, then the joins. */
export interface Drawing {
  readonly size: number;
  readonly edges: readonly Edge[];
  readonly joins: readonly Join[];
}

/** The operations on the two sides of one row of the table, for one object or word. */
interface Parties {
  readonly first: number[];
  readonly later: number[];
}

type PartiesByWord = Map<string, Parties>;

/** Draws the edges of the table between operations. Time and edges grow with the words the operations hold. */
export function drawEdges(operations: readonly Operation[]): Drawing {
  const edges: Edge[] = [];
  const joins: Join[] = [];
  let size = operations.length;

  const connect = (rule: Rule, endpoint: string, parties: PartiesByWord): void => {
    for (const [word, { first, later }] of parties) {
      if (first.length * later.length <= first.length + later.length) {
        for (const from of first) for (const to of later) edges.push({ from, to, rule });
        continue;
      }
      const node = size;
      size += 1;
      joins.push({ name: `${rule} ${word} at ${endpoint}`, node });
      for (const from of first) edges.push({ from, to: node, rule });
      for (const to of later) edges.push({ from: node, to, rule });
    }
  };

  for (const [endpoint, nodes] of nodesByEndpoint(operations)) {
    drawObjectEdges(operations, nodes, edges);
    connect('claim', endpoint, claimParties(operations, nodes));
    connect('serve', endpoint, serveParties(operations, nodes));
  }
  return { size, edges, joins };
}

function nodesByEndpoint(operations: readonly Operation[]): ReadonlyMap<string, readonly number[]> {
  const groups = new Map<string, number[]>();
  for (const [node, operation] of operations.entries()) {
    const group = groups.get(operation.endpoint);
    if (group === undefined) groups.set(operation.endpoint, [node]);
    else group.push(node);
  }
  return groups;
}

/** References, releases, and a delete before the write of the same object. */
function drawObjectEdges(operations: readonly Operation[], nodes: readonly number[], edges: Edge[]): void {
  const writes = new Map<string, number>();
  const deletes = new Map<string, number>();
  for (const node of nodes) {
    const operation = operations[node] as Operation;
    (operation.method === 'PUT' ? writes : deletes).set(operation.object, node);
  }
  const draw = (from: number | undefined, to: number | undefined): void => {
    if (from !== undefined && to !== undefined && from !== to) edges.push({ from, to, rule: 'order' });
  };
  for (const node of nodes) {
    const operation = operations[node] as Operation;
    if (operation.method === 'PUT') {
      for (const object of operation.references) draw(writes.get(object), node);
      draw(deletes.get(operation.object), node);
    }
    for (const object of operation.releases) draw(node, deletes.get(object));
  }
}

function claimParties(operations: readonly Operation[], nodes: readonly number[]): PartiesByWord {
  const parties: PartiesByWord = new Map();
  for (const node of nodes) {
    const { frees, claims } = operations[node] as Operation;
    // What an operation both gives up and takes it keeps.
    for (const word of frees) if (!claims.includes(word)) partiesOf(parties, word).first.push(node);
    for (const word of claims) if (!frees.includes(word)) partiesOf(parties, word).later.push(node);
  }
  return parties;
}

function serveParties(operations: readonly Operation[], nodes: readonly number[]): PartiesByWord {
  const parties: PartiesByWord = new Map();
  for (const node of nodes) {
    const { serves, method } = operations[node] as Operation;
    for (const word of serves) partiesOf(parties, word)[method === 'PUT' ? 'first' : 'later'].push(node);
  }
  return parties;
}

function partiesOf(parties: PartiesByWord, word: string): Parties {
  const known = parties.get(word);
  if (known !== undefined) return known;
  const made = { first: [], later: [] };
  parties.set(word, made);
  return made;
}
