// The least that taking both sides into memory can be: load the file, parse the answers. `node load.mjs <file> [<answers>]`
// The answers are JSON texts, one on each line.
import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';

const [file, answers] = process.argv.slice(2);
const document = load(readFileSync(file, 'utf8'));
const parsed =
  answers === undefined
    ? []
    : readFileSync(answers, 'utf8')
        .split('\n')
        .map((line) => JSON.parse(line));
globalThis.held = [document, parsed];
