import { defineConfig } from 'vitest/config'

/** The real page on the real server in a real browser. */
export default defineConfig({
  test: {
    include: ['e2e/**/*.test.ts'],
    globalSetup: 'e2e/support/build.ts',
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    // Named as unsteady at the end of the run if it passes then (tools/reports.py).
    retry: 1,
  },
})
