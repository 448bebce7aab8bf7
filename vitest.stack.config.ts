import { defineConfig } from 'vitest/config'

/** `npm run test:stack`: the tests that need real services. */
export default defineConfig({
  test: {
    include: ['**/*.stack.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**', '**/.stack/**'],
    globalSetup: ['test/stack/global-setup.ts'],
    // A first start may fetch a hundred megabytes.
    testTimeout: 180_000,
    hookTimeout: 300_000,
    // A broker that is slow for a moment on a shared machine is no fault of ours; a test that fails twice is.
    retry: 1,
    // Brokers, databases and the program share two cores: two files at once only time each other out.
    fileParallelism: false,
  },
})
