import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startEmulator } from '../../src/emulator/index.js';

const root = join(import.meta.dirname, '../..');
const run = promisify(execFile);

/** The code blocks of a page that follow a text, in order. */
async function blocksOf(page: string, language: string): Promise<readonly string[]> {
  const text = await readFile(join(root, page), 'utf8');
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map((match) => match[1] ?? '');
}

let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'adc-docs-'));
  await writeFile(join(folder, 'adc'), `#!/bin/sh\nexec "${process.execPath}" "${join(root, 'dist/main.js')}" "$@"\n`);
  await chmod(join(folder, 'adc'), 0o755);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const environment = (more: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv => ({
  PATH: `${folder}:${process.env['PATH'] ?? ''}`,
  HOME: folder,
  ...more,
});

it.each(['3.13.0', '3.18.0'])('the worked example of the guide for CI passes on %s', async (version) => {
  const [configuration = ''] = await blocksOf('docs/guides/ci.md', 'yaml');
  const [script = ''] = await blocksOf('docs/guides/ci.md', 'bash');
  await writeFile(join(folder, 'adc.yaml'), configuration);
  await writeFile(join(folder, 'check.sh'), script);
  const { stdout } = await run('bash', ['check.sh'], { cwd: folder, env: environment({ GATEWAY_VERSION: version }) });
  expect(stdout).toContain(`the configuration settles on APISIX ${version}`);
});

it('the worked example of the guide for CI fails where the gateway would refuse', async () => {
  const [configuration = ''] = await blocksOf('docs/guides/ci.md', 'yaml');
  const [script = ''] = await blocksOf('docs/guides/ci.md', 'bash');
  await writeFile(join(folder, 'adc.yaml'), configuration.replace('count: 100', 'count: many'));
  await writeFile(join(folder, 'check.sh'), script);
  const failure = await run('bash', ['check.sh'], { cwd: folder, env: environment() }).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 1, stderr: expect.stringContaining('limit-count') });
});

it('the configuration of the README lints clean', async () => {
  const [configuration = ''] = await blocksOf('README.md', 'yaml');
  await writeFile(join(folder, 'adc.yaml'), configuration);
  await run('adc', ['lint'], { cwd: folder, env: environment() });
});

it('the program of the guide to the library shows and applies the changes', async () => {
  const [program = ''] = await blocksOf('docs/guides/library.md', 'js');
  await writeFile(join(folder, 'adc.yaml'), 'services: [{ name: shop, routes: [{ name: items, uris: [/items] }] }]\n');
  await writeFile(
    join(folder, 'program.mjs'),
    program.replace("'@apisix/adc'", JSON.stringify(pathToFileURL(join(root, 'dist/index.js')))),
  );
  const emulator = await startEmulator();
  try {
    const env = environment({ ADC_SERVER: emulator.url, ADC_TOKEN: emulator.adminKey });
    const { stdout } = await run(process.execPath, ['program.mjs'], { cwd: folder, env });
    expect(stdout).toBe('create service shop\ncreate route items\n2 applied, 0 failed\n');
  } finally {
    await emulator.close();
  }
});
