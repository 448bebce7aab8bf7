/** The stack's real services for a benchmark, from packages: on free ports, in a folder that goes with them. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { assets, packagesDirectory } from '../../deploy/stack/assets.ts'
import { freePorts } from '../../deploy/stack/ports.ts'
import type { ServiceName } from '../../deploy/stack/service.ts'
import { createStack } from '../../deploy/stack/stack.ts'

/** What each service tells its users. */
type Facts = Readonly<Record<string, string>>

export interface RealStack {
  /** A fact that must be there. */
  fact(service: ServiceName, name: string): string
  close(): Promise<void>
}

/** Starts these, with what they need. */
export async function openRealStack(names: readonly ServiceName[]): Promise<RealStack> {
  const directory = mkdtempSync(join(tmpdir(), 'waybill-bench-stack-'))
  // PostgreSQL runs as a user of its own, who must get through.
  chmodSync(directory, 0o755)
  const report = (text: string) => process.stderr.write(`stack: ${text}\n`)
  const stack = createStack({ directory, packagesDirectory, assets, ports: freePorts(), report })
  const facts = new Map<ServiceName, Facts>()
  const close = async () => {
    for (const name of names.toReversed()) await stack.down(name)
    rmSync(directory, { recursive: true, force: true })
  }
  try {
    for (const name of names) facts.set(name, await stack.up(name))
  } catch (error) {
    await close()
    throw error
  }
  return {
    fact(service, name) {
      const found = facts.get(service)?.[name]
      if (found === undefined) throw new Error(`${service} did not say its ${name}`)
      return found
    },
    close,
  }
}
