// The least that finding out that nothing changed can be: load, read, parse. `node read.mjs <file> <url> <concurrency>`
import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { Pool } from 'undici';
import { listPaths } from './lists.mjs';

const [file, url, concurrency] = process.argv.slice(2);
const { origin, pathname } = new URL(url);
const prefix = pathname.replace(/\/$/, '');
const pool = new Pool(origin, { connections: Number(concurrency) });
const headers = { 'x-api-key': 'bench' };
const paths = listPaths(load(readFileSync(file, 'utf8'))).values();
const answers = [];

async function read() {
  for (const path of paths) {
    const answer = await pool.request({ method: 'GET', path: prefix + path, headers });
    answers.push(JSON.parse(await answer.body.text()));
    if (answer.statusCode > 299) throw new Error(`${path}: ${answer.statusCode}`);
  }
}
await Promise.all(Array.from({ length: Number(concurrency) }, read));
await pool.close();
