import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import {
  diffAnswerSchema,
  failureAnswerSchema,
  syncAnswerSchema,
  validateAnswerSchema,
} from '../../src/server/answers.js';
import { createMetrics } from '../../src/server/metrics.js';
import { createMemory } from '../../src/memory/store.js';
import { createPoolManager } from '../../src/pool/manager.js';
import { put, send, startTestServer } from './support.js';

const reference = readFileSync(join(import.meta.dirname, '../../docs/reference/server-api.md'), 'utf8');
const examples = [...reference.matchAll(/```json\n([\s\S]*?)```/g)].map(([, text = '']) =>
  JSON.parse(text.trimStart().startsWith('"') ? `{${text}}` : text),
);

it('shows a request that is taken, and answers as they are', async () => {
  const server = await startTestServer();
  const [request] = examples.filter((example) => 'task' in example);
  request.task.opts.server = 'http://127.0.0.1:9';
  expect((await put(server.url, '/sync', request)).status).toBe(500);
  const refused = await put(server.url, '/sync', { task: { ...request.task, config: { services: [{}] } } });
  await server.close();
  expect(examples.find((example) => 'errors' in example && !('source' in example))).toEqual(refused.json);
  for (const example of examples) {
    if ('failed_count' in example) syncAnswerSchema.parse(example);
    else if ('summary' in example) diffAnswerSchema.parse(example);
    else if ('depth' in example) validateAnswerSchema.parse(example);
    else if ('endpoint_status' in example) syncAnswerSchema.shape.endpoint_status.parse(example.endpoint_status);
    else if (!('task' in example) && !('level' in example)) failureAnswerSchema.parse(example);
  }
  expect(examples.length).toBeGreaterThanOrEqual(8);
});

it('lists every metric there is', async () => {
  const metrics = createMetrics({
    pools: createPoolManager(),
    memory: createMemory(),
    queue: () => ({ running: 0, waiting: 0 }),
    bodies: () => 0,
    connections: () => 0,
  });
  const names = [...(await metrics.text()).matchAll(/^# TYPE (\S+) /gm)].map(([, name = '']) => name);
  metrics.close();
  expect(names.length).toBeGreaterThan(25);
  const unnamed = names.filter(
    (name) => !reference.includes(name) && !reference.includes(`…_${name.split('_').slice(3).join('_')}`),
  );
  expect(unnamed).toEqual([]);
});

it('describes every path of its own document, and no other', async () => {
  const server = await startTestServer();
  const { paths } = (await send('GET', server.url, '/openapi.json')).json;
  await server.close();
  for (const path of Object.keys(paths)) expect(reference).toContain(path);
});
