import { defineConfig } from 'vitest/config'

// What needs only Node. test/clients has a configuration of its own: it needs other runtimes.
export default defineConfig({
  test: {
    include: ['packages/*/test/**/*.test.ts', 'test/*.test.ts', 'test/processes/*.test.ts', 'test/fuzz/*.test.ts'],
    globalSetup: ['test/support/build.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
