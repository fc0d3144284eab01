// The least that knowing two states can be: their texts parsed. `node parse.mjs <desired> <current> <times>`; tells the
// first time and the middle of the others, in milliseconds.
import { readFileSync } from 'node:fs';
import { timeRepeatedly } from '../support/time.mjs';

const [desired, current, times] = process.argv.slice(2);
const texts = [readFileSync(desired, 'utf8'), readFileSync(current, 'utf8')];
const told = await timeRepeatedly(Number(times), () => texts.map((text) => JSON.parse(text)));
process.stdout.write(JSON.stringify(told));
