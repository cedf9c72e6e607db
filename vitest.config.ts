import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/{unit,integration,e2e}/**/*.test.ts'],
    globalSetup: [],
    testTimeout: 30_000,
    // Two cores: end-to-end tests start processes of their own.
    maxWorkers: 2,
  },
});
