import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

/** Imports that go against the direction: file, what it imports. Each must be refused. */
const refused: readonly (readonly [string, string])[] = [
  ['src/model/planted.ts', '../pool/pool.js'],
  ['src/model/planted.ts', '../backend/backend.js'],
  ['src/model/planted.ts', 'undici'],
  ['src/model/planted.ts', '@types/node'],
  ['src/pool/planted.ts', '../backend/backend.js'],
  ['src/pool/planted.ts', '../memory/memory.js'],
  ['src/memory/planted.ts', '../pool/pool.js'],
  ['src/backend/planted.ts', '../pipeline/diff/diff.js'],
  ['src/backend/planted.ts', '../sync.js'],
  ['src/backend/apisix/planted.ts', '../standalone/backend.js'],
  ['src/backend/apisix/planted.ts', '../../pipeline/diff/diff.js'],
  ['src/backend/standalone/planted.ts', '../apisix/backend.js'],
  ['src/backend/shared/planted.ts', '../apisix/backend.js'],
  ['src/pipeline/apply/planted.ts', '../../sync.js'],
  ['src/pipeline/report/planted.ts', '../../cli/program.js'],
  ['src/pipeline/config/planted.ts', '../../server/server.js'],
  ['src/pipeline/diff/planted.ts', '../../backend/backend.js'],
  ['src/pipeline/diff/planted.ts', '../plan/plan.js'],
  ['src/pipeline/diff/planted.ts', 'undici'],
  ['src/pipeline/plan/planted.ts', '../diff/diff.js'],
  ['src/pipeline/plan/planted.ts', '../../pool/pool.js'],
  ['src/sync.ts', './cli/program.js'],
  ['src/sync.ts', './server/server.js'],
  ['src/sync.ts', './emulator/index.js'],
  ['src/cli/planted.ts', '../main.js'],
  ['src/cli/commands/planted.ts', '../../main.js'],
  ['src/server/planted.ts', '../cli/program.js'],
  ['src/server/planted.ts', '../main.js'],
  ['src/openapi/planted.ts', '../pipeline/config/load.js'],
  ['src/emulator/planted.ts', '../model/kinds.js'],
  ['src/emulator/planted.ts', '../backend/backend.js'],
  ['src/emulator/standalone/planted.ts', '../../model/kinds.js'],
];

/** Imports that go with the direction: none may be refused. */
const allowed: readonly (readonly [string, string])[] = [
  ['src/model/planted.ts', 'zod'],
  ['src/model/planted.ts', 'node:crypto'],
  ['src/model/planted.ts', './kinds.js'],
  ['src/pool/planted.ts', '../model/errors.js'],
  ['src/backend/apisix/planted.ts', '../shared/to-admin.js'],
  ['src/backend/apisix/planted.ts', '../../pool/pool.js'],
  ['src/pipeline/diff/planted.ts', '../../model/change.js'],
  ['src/pipeline/apply/planted.ts', '../../backend/backend.js'],
  ['src/sync.ts', './pipeline/diff/diff.js'],
  ['src/cli/commands/planted.ts', '../../sync.js'],
  ['src/server/planted.ts', '../sync.js'],
];

/** Each planted file stands in a tree of its own, so that one room can be planted many times. */
const treeOf = (set: 'refused' | 'allowed', index: number): string => `${set}-${index}`;
const root = join(import.meta.dirname, '..');
let folder = '';
let findings = new Map<string, string>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'adc-rooms-'));
  for (const [set, plants] of [
    ['refused', refused],
    ['allowed', allowed],
  ] as const) {
    for (const [index, [file, target]] of plants.entries()) {
      const tree = join(folder, treeOf(set, index));
      await mkdir(dirname(join(tree, file)), { recursive: true });
      await cp(join(root, '.oxlintrc.json'), join(tree, '.oxlintrc.json'));
      await writeFile(join(tree, file), `import { planted } from '${target}';\nexport const used = planted;\n`);
    }
  }
  const output = await new Promise<string>((resolve) => {
    execFile(join(root, 'node_modules/.bin/oxlint'), ['--format', 'json', '.'], { cwd: folder }, (_error, stdout) =>
      resolve(stdout),
    );
  });
  const report = JSON.parse(output) as {
    diagnostics: { code: string; filename: string; help?: string; message: string }[];
  };
  findings = new Map(
    report.diagnostics
      .filter((finding) => finding.code.includes('no-restricted-imports'))
      .map((finding) => [
        finding.filename.replaceAll('\\', '/').split('/')[0] ?? '',
        `${finding.message} ${finding.help ?? ''}`,
      ]),
  );
});

afterAll(() => rm(folder, { recursive: true, force: true }));

it.each(refused.map((plant, index) => [...plant, index] as const))('%s may not import %s', (_file, _target, index) => {
  expect(findings.get(treeOf('refused', index))).toBeDefined();
});

it.each(allowed.map((plant, index) => [...plant, index] as const))('%s may import %s', (_file, _target, index) => {
  expect(findings.get(treeOf('allowed', index))).toBeUndefined();
});
