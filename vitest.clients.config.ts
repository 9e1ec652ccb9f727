import { defineConfig } from 'vitest/config'

// Real clients against real processes, one at a time. What a machine has no runtime for is skipped, with the reason;
// REQUIRE_CLIENTS=kcat,franz-go makes a missing one a failure.
export default defineConfig({
  test: {
    include: ['test/clients/*.test.ts'],
    globalSetup: ['test/support/build.ts'],
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 600_000,
  },
})
