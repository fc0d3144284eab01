import { defineConfig } from 'vitest/config';

/** The cases against a gateway of yours: one at a time, since they share it. */
export default defineConfig({
  test: {
    include: ['test/gateway/**/*.test.ts'],
    pool: 'forks',
    testTimeout: 120_000,
    hookTimeout: 60_000,
    fileParallelism: false,
  },
});
