import type { Operation } from '../../model/operation.js';
import { createPencil, type Edges, type Pencil, type Rule } from './graph.js';

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

/** The graph before its rings are broken. Nodes are the operations by their place, then the joins. */
export interface Drawing {
  readonly size: number;
  readonly edges: Edges;
}

/** The operations on the two sides of one row of the table, for one object or word. */
interface Parties {
  readonly first: number[];
  readonly later: number[];
}

type PartiesByWord = Map<string, Parties>;

/** Draws the edges of the table between operations. Time and edges grow with the words the operations hold. */
export function drawEdges(operations: readonly Operation[]): Drawing {
  const pencil = createPencil();
  let size = operations.length;

  const connect = (rule: Rule, parties: PartiesByWord): void => {
    for (const { first, later } of parties.values()) {
      if (first.length * later.length <= first.length + later.length) {
        for (const from of first) for (const to of later) pencil.draw(from, to, rule);
        continue;
      }
      // A join: product becomes sum.
      const node = size;
      size += 1;
      for (const from of first) pencil.draw(from, node, rule);
      for (const to of later) pencil.draw(node, to, rule);
    }
  };

  for (const nodes of nodesByEndpoint(operations)) {
    drawObjectEdges(operations, nodes, pencil);
    connect('claim', claimParties(operations, nodes));
    connect('serve', serveParties(operations, nodes));
  }
  return { size, edges: pencil.edges() };
}

function nodesByEndpoint(operations: readonly Operation[]): Iterable<readonly number[]> {
  const groups = new Map<string, number[]>();
  for (const [node, { endpoint }] of operations.entries()) {
    const group = groups.get(endpoint);
    if (group === undefined) groups.set(endpoint, [node]);
    else group.push(node);
  }
  return groups.values();
}

/** References, releases, and a delete before the write of the same object. */
function drawObjectEdges(operations: readonly Operation[], nodes: readonly number[], pencil: Pencil): void {
  const writes = new Map<string, number>();
  const deletes = new Map<string, number>();
  for (const node of nodes) {
    const { method, object } = operations[node] as Operation;
    (method === 'PUT' ? writes : deletes).set(object, node);
  }
  if (writes.size + deletes.size < nodes.length) throw new Error('two operations of a plan do the same to one object');
  for (const node of nodes) {
    const { method, object, references, releases } = operations[node] as Operation;
    if (method === 'PUT') {
      for (const referred of references) {
        const from = writes.get(referred);
        if (from !== undefined && from !== node) pencil.draw(from, node, 'order');
      }
      const before = deletes.size === 0 ? undefined : deletes.get(object);
      if (before !== undefined) pencil.draw(before, node, 'order');
    }
    if (deletes.size === 0) continue;
    for (const released of releases) {
      const to = deletes.get(released);
      if (to !== undefined && to !== node) pencil.draw(node, to, 'order');
    }
  }
}

/** Only words that somebody gives up make anybody wait. */
function claimParties(operations: readonly Operation[], nodes: readonly number[]): PartiesByWord {
  const parties: PartiesByWord = new Map();
  for (const node of nodes) {
    const { frees, claims } = operations[node] as Operation;
    // What an operation both gives up and takes it keeps.
    for (const word of frees) if (!claims.includes(word)) partiesOf(parties, word).first.push(node);
  }
  if (parties.size === 0) return parties;
  for (const node of nodes) {
    const { frees, claims } = operations[node] as Operation;
    for (const word of claims) if (!frees.includes(word)) parties.get(word)?.later.push(node);
  }
  return parties;
}

/** Only words that somebody stops serving make anybody wait. */
function serveParties(operations: readonly Operation[], nodes: readonly number[]): PartiesByWord {
  const parties: PartiesByWord = new Map();
  for (const node of nodes) {
    const { serves, method } = operations[node] as Operation;
    if (method === 'DELETE') for (const word of serves) partiesOf(parties, word).later.push(node);
  }
  if (parties.size === 0) return parties;
  for (const node of nodes) {
    const { serves, method } = operations[node] as Operation;
    if (method === 'PUT') for (const word of serves) parties.get(word)?.first.push(node);
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
