// The least that reading a configuration can be: its text loaded. `node yaml.mjs <file> <times>`; tells the first time and the
// middle of the others, in milliseconds.
import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { timeRepeatedly } from '../support/time.mjs';

const [file, times] = process.argv.slice(2);
const told = await timeRepeatedly(Number(times), () => load(readFileSync(file, 'utf8')));
process.stdout.write(JSON.stringify(told));
