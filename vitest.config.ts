import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    testTimeout: 30_000,
    // Two cores is what a small CI machine has; more forks only fight each other.
    maxWorkers: 2,
  },
})
