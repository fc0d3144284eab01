// What a user downloads and what then lies on the disk: the package packed, and installed into an empty folder.
import { execFileSync } from 'node:child_process';
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const megabyte = 1e6;

/** What a folder takes on the disk, as `du` counts it. */
function bytesBelow(folder) {
  let sum = 0;
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const stat = lstatSync(path);
    sum += stat.blocks * 512 + (stat.isDirectory() ? bytesBelow(path) : 0);
  }
  return sum;
}

export const size = [
  {
    name: 'size of the package',
    rounds: { full: 1, quick: 1 },
    values: {
      installed: { target: 40, unit: 'MB', alone: true, exact: true },
      packed: { target: 1.5, unit: 'MB', alone: true, exact: true },
    },
    prepare: async () => ({
      ours: async ({ tree }) => {
        const folder = mkdtempSync(join(tmpdir(), 'adc-bench-size-'));
        try {
          const run = (args, cwd) =>
            execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
          execFileSync(process.execPath, ['scripts/build.mjs', '--types'], {
            cwd: tree,
            stdio: ['ignore', 'ignore', 'pipe'],
          });
          const [{ filename }] = JSON.parse(
            run(['pack', '--json', '--ignore-scripts', '--pack-destination', folder], tree),
          );
          const tarball = join(folder, filename);
          const empty = join(folder, 'empty');
          mkdirSync(empty);
          writeFileSync(join(empty, 'package.json'), JSON.stringify({ name: 'empty', private: true }));
          run(['install', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts', tarball], empty);
          return {
            installed: bytesBelow(join(empty, 'node_modules')) / megabyte,
            packed: statSync(tarball).size / megabyte,
          };
        } finally {
          rmSync(folder, { recursive: true, force: true });
        }
      },
    }),
  },
];
