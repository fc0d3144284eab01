import { expect, it } from 'vitest';
import type { State } from '../../src/model/resource.js';
import { drawConfiguration } from './configurations.js';
import { drawn, type Draw } from './draw.js';
import { expectStored } from './expectations.js';
import { pathOf } from './stored.js';
import { holdsFor, patience } from './runs.js';
import { describeEach } from './targets.js';
import { worldOf } from './world.js';

/** What global rules and metadata are cannot be told apart by labels. */
const exclude = ['global_rule', 'plugin_metadata'];

/** Where a state is stored, the upstreams of services included. */
function pathsOf(state: State): readonly string[] {
  return [...state.resources.values()].flatMap((resource) => [
    pathOf(resource),
    ...(resource.kind === 'service' ? [`upstreams/${resource.id}`] : []),
  ]);
}

async function inTurn<T>(jobs: readonly (() => Promise<T>)[]): Promise<readonly T[]> {
  const done: T[] = [];
  for (const job of jobs) done.push(await job());
  return done;
}

describeEach(({ world, fresh }) => {
  // Two processes that write the whole of one document at the same moment cannot both win: there they take turns.
  const atOnce = world.backend === 'apisix';
  it(
    `carries out jobs of two owners ${atOnce ? 'at the same time' : 'in turn'}, and both get what they want`,
    async () => {
      const documents = (draw: Draw, prefix: string) => {
        const own = worldOf(world.version, world.backend, { prefix, mentions: draw.chance(70) });
        return [drawConfiguration(draw, own), drawConfiguration(draw, own), own.mentions] as const;
      };
      const cases = drawn((draw) => ({ ann: documents(draw, 'ann_'), bob: documents(draw, 'bob_') }));
      await holdsFor(3, cases, async ({ ann, bob }) => {
        const first = fresh();
        const second = first.another();
        const owners = [
          { subject: first, documents: ann, options: { labels: { owner: 'ann' }, exclude } },
          { subject: second, documents: bob, options: { labels: { owner: 'bob' }, exclude } },
        ] as const;
        for (const round of [0, 1, 0] as const) {
          const jobs = owners.map(
            ({ subject, documents, options }) =>
              () =>
                subject.sync(documents[round], options),
          );
          const done = await (atOnce ? Promise.all(jobs.map((job) => job())) : inTurn(jobs));
          expect(done.map(({ failed }) => failed)).toEqual([[], []]);
          const states = owners.map(
            ({ subject, documents, options }) => subject.configuration(documents[round], options).state,
          );
          for (const [index, { subject, documents, options }] of owners.entries()) {
            expect(await subject.diff(documents[round], options)).toEqual([]);
            const others = new Set(states.filter((_, other) => other !== index).flatMap(pathsOf));
            for (const raw of await subject.raw())
              expectStored(raw, states[index] ?? { resources: new Map() }, {
                beside: others,
                mayLackOwnUpstream: () => true,
              });
          }
        }
      });
    },
    patience,
  );
});
