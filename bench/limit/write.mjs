// The least that a sync of a new configuration can be: load, serialise, send. `node write.mjs <file> <url> <concurrency>`
import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { Pool } from 'undici';
import { requestsOf } from './requests.mjs';

const [file, url, concurrency] = process.argv.slice(2);
const { origin, pathname } = new URL(url);
const prefix = pathname.replace(/\/$/, '');
const pool = new Pool(origin, { connections: Number(concurrency) });
const headers = { 'x-api-key': 'bench', 'content-type': 'application/json' };
const requests = requestsOf(load(readFileSync(file, 'utf8')));

async function send() {
  for (const [path, object] of requests) {
    const body = Buffer.from(JSON.stringify(object));
    const answer = await pool.request({ method: 'PUT', path: prefix + path, headers, body });
    await answer.body.dump();
    if (answer.statusCode > 299) throw new Error(`${path}: ${answer.statusCode}`);
  }
}
await Promise.all(Array.from({ length: Number(concurrency) }, send));
await pool.close();
