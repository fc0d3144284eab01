// The least that a command line could do: 16 GETs, one parse, 16 PUTs of a document that is there already.
// `node bare.mjs <urls> <key> <file>`
import { readFileSync } from 'node:fs';
import { Pool } from 'undici';

const [urls = '', key = '', file = ''] = process.argv.slice(2);
const text = readFileSync(file, 'utf8');
const path = '/apisix/admin/configs';
const headers = { 'x-api-key': key };
const pools = urls.split(',').map((url) => new Pool(url, { connections: 1 }));
const bodies = await Promise.all(
  pools.map(async (pool) => (await pool.request({ method: 'GET', path, headers })).body.bytes()),
);
JSON.parse(Buffer.from(bodies[0]).toString());
const statuses = await Promise.all(
  pools.map(async (pool) => {
    const { statusCode, body } = await pool.request({
      method: 'PUT',
      path,
      headers: { ...headers, 'content-type': 'application/json', 'x-digest': `${Date.now()}` },
      body: text,
      headersTimeout: 120_000,
    });
    await body.dump();
    return statusCode;
  }),
);
await Promise.all(pools.map((pool) => pool.close()));
if (statuses.some((status) => status !== 202)) {
  process.stderr.write(`${statuses.join(' ')}\n`);
  process.exitCode = 1;
}
