// Times of things that are done several times in one process.
import { median } from './statistics.mjs';

/** Does it once, which is cold, and so many times more; milliseconds. What it gives is held until the next time. */
export async function timeRepeatedly(times, run) {
  const taken = [];
  for (let time = 0; time <= times; time += 1) {
    const began = performance.now();
    globalThis.held = await run();
    taken.push(performance.now() - began);
  }
  const [cold, ...warm] = taken;
  return { cold, warm: warm.length === 0 ? cold : median(warm) };
}
