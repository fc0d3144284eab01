import { defineConfig } from 'vitest/config';

/** The long forms of what `npm test` shows in short: `npm run test:soak`. */
export default defineConfig({
  test: {
    include: ['test/soak/**/*.soak.ts'],
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 60_000,
  },
});
