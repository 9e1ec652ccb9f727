import { defineConfig } from 'vitest/config'

// The cluster in containers, where there is a Docker engine; skipped with the reason where there is none.
export default defineConfig({
  test: {
    include: ['test/compose/*.test.ts'],
    globalSetup: ['test/compose/image.ts'],
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 600_000,
  },
})
