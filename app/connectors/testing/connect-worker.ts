/**
 * For tests of the connector commands: a worker that is none, a folder for connector files, and commands against both.
 * Everything goes when the test ends.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach } from 'vitest'
import { shippedConnectorPaths } from '../../../connectors/debezium/connector-files.ts'
import {
  type FakeConnect,
  type FakeConnectOptions,
  startFakeConnect,
} from '../../../connectors/debezium/testing/fake-connect.ts'
import type { Clock } from '../../../engine/index.ts'
import { capturedSurroundings } from '../../cli/testing/captured-surroundings.ts'
import { runCommand } from '../../main.ts'

const cleanups: (() => unknown)[] = []
let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'waybill-connectors-'))
  cleanups.push(() => rmSync(folder, { recursive: true }))
})
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** Starts a worker. */
export async function worker(options?: FakeConnectOptions): Promise<FakeConnect> {
  const fake = await startFakeConnect(options)
  cleanups.push(fake.close)
  return fake
}

/** Runs `waybill connectors` in the folder against the worker. */
export async function connectors(
  { url }: Pick<FakeConnect, 'url'>,
  args: readonly string[],
  env: Record<string, string> = {},
) {
  const surroundings = capturedSurroundings({
    cwd: folder,
    clock: eagerClock(),
    env: { WAYBILL_CONNECT_URL: url, ...env },
  })
  const code = await runCommand(['connectors', ...args], surroundings)
  return { code, out: surroundings.stdout.text(), err: surroundings.stderr.text() }
}

/** The flags that name the connectors which ship. */
export const shipped = ['--database', 'mariadb'] as const

/** A connector file of one's own: the shipped one for orders, changed. */
export function ownFile(changes: Record<string, string>, name = 'orders'): string {
  const [, path = ''] = shippedConnectorPaths('mariadb')
  const config: object = JSON.parse(readFileSync(path, 'utf8'))
  return fileOf(`${name}.json`, JSON.stringify({ ...config, ...changes }))
}

/** A file in the folder. */
export function fileOf(name: string, text: string): string {
  writeFileSync(join(folder, name), text)
  return name
}

/** The requests that changed a connector's settings. */
export const writes = ({ requests }: FakeConnect): string[] =>
  requests.filter((request) => /config$/.test(request) && !/validate/.test(request))

/** A clock whose waits pass at once. */
function eagerClock(): Clock {
  let now = 0
  return {
    now: () => now,
    at(atMs, callback) {
      let wanted = true
      setImmediate(() => {
        if (!wanted) return
        now = Math.max(now, atMs)
        callback()
      })
      return () => {
        wanted = false
      }
    },
  }
}
