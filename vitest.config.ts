import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['**/*.test.ts'],
    // Those that need real services run by `npm run test:stack`.
    exclude: ['**/node_modules/**', '**/dist/**', '**/.stack/**', '**/*.stack.test.ts'],
    testTimeout: 30_000,
    // Two cores is what a small CI machine has; more forks only fight each other.
    maxWorkers: 2,
  },
})
