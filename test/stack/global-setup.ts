/** Before the stack tests: the server that starts services for them. After: stops what was started. */
import type { TestProject } from 'vitest/node'
import { startControlServer } from './control-server.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** Where test files ask for services; see services.ts. */
    stackControlUrl: string
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startControlServer((text) => process.stderr.write(`stack: ${text}\n`))
  project.provide('stackControlUrl', server.url)
  return server.stop
}
