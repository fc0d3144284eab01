// Times of things that are done several times in one process.
import { median } from './statistics.mjs';

/**
 * Does it once, which is cold, and so many times more; milliseconds. What it gives is held until the next time.
 *
 * @returns `cold`; of the others `warm`, the middle, and `mean`, in which a collection counts that comes only now and then
 */
export async function timeRepeatedly(times, run) {
  const taken = [];
  for (let time = 0; time <= times; time += 1) {
    const began = performance.now();
    globalThis.held = await run();
    taken.push(performance.now() - began);
  }
  const [cold, ...warm] = taken;
  if (warm.length === 0) return { cold, warm: cold, mean: cold };
  return { cold, warm: median(warm), mean: warm.reduce((sum, one) => sum + one, 0) / warm.length };
}
