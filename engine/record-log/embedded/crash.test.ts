/** What survives: real processes, killed at random moments or short of disk, and a look at what they left. */
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { seededRandom, systemClock } from '../../clock.ts'
import { createWorkbench } from '../contract/workbench.ts'
import { partitionKey } from '../port.ts'
import { openEmbeddedLog } from './embedded-log.ts'

const here = dirname(fileURLToPath(import.meta.url))
/** Under node_modules, so that the bundle finds classic-level. */
const bundleDirectory = join(here, '../../../node_modules/.cache/waybill-crash-test', String(process.pid))
const child = join(bundleDirectory, 'crash-child.js')

beforeAll(async () => {
  await build({
    root: here,
    configFile: false,
    logLevel: 'silent',
    build: {
      ssr: join(here, 'crash-child.ts'),
      outDir: bundleDirectory,
      emptyOutDir: true,
      target: 'node20',
    },
  })
})
afterAll(() => rm(bundleDirectory, { recursive: true, force: true }))

describe('embedded log', () => {
  let directory: string
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'waybill-crash-'))
  })
  afterEach(() => rm(directory, { recursive: true, force: true }))

  it('has everything that was acknowledged after kill -9, records and offsets together', async () => {
    const seed = Math.trunc(systemClock.now()) % 1_000_000
    const random = seededRandom(seed)
    for (let round = 0; round < 5; round++) {
      const killAfter = 1 + Math.floor(random.next() * 150)
      const { lastAcknowledged } = await runChild([process.execPath, child, directory], killAfter)
      const found = await whatIsThere(directory)
      const context = `seed ${seed}, round ${round}, killed after ${killAfter} more`
      expect(found.left, context).toEqual(found.right)
      expect(found.left, context).toEqual(Array.from({ length: found.left.length }, (_, n) => n))
      expect(found.offsets, context).toEqual([found.left.length - 1, found.left.length - 1])
      expect(found.left.length - 1, context).toBeGreaterThanOrEqual(lastAcknowledged)
    }
  })

  it.skipIf(process.platform === 'win32')(
    'fails with a clear word when the disk is full, and keeps what was acknowledged',
    async () => {
      // A limit on the size of files stands in for a full disk: the same failing write, without root.
      const command = `ulimit -f 2048 && exec "$0" "$1" "$2" 60000`
      const { lines, lastAcknowledged, exitCode } = await runChild([
        'bash',
        '-c',
        command,
        process.execPath,
        child,
        directory,
      ])
      expect(exitCode).toBe(3)
      expect(lines.at(-1)).toMatch(
        /^failed cannot write the log in .*File too large \(make room on the disk\)$/,
      )
      expect(lastAcknowledged).toBeGreaterThan(5)
      const found = await whatIsThere(directory)
      expect(found.left).toEqual(found.right)
      // The one that failed may be there or not, but whole.
      expect([lastAcknowledged + 1, lastAcknowledged + 2]).toContain(found.left.length)
      expect(found.offsets).toEqual([found.left.length - 1, found.left.length - 1])
    },
  )
})

/** Runs the child until it ends, or until it has acknowledged so many transactions and is killed. */
function runChild(
  [command = '', ...args]: readonly string[],
  killAfter = Number.POSITIVE_INFINITY,
): Promise<{ lines: string[]; lastAcknowledged: number; exitCode: number | null }> {
  return new Promise((resolve, reject) => {
    const running = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    const lines: string[] = []
    createInterface({ input: running.stdout }).on('line', (line) => {
      lines.push(line)
      if (lines.length >= killAfter) running.kill('SIGKILL')
    })
    running.on('error', reject)
    running.on('close', (exitCode) => {
      const numbers = lines.map(Number).filter((line) => Number.isInteger(line))
      resolve({ lines, lastAcknowledged: numbers.at(-1) ?? -1, exitCode })
    })
  })
}

async function whatIsThere(directory: string) {
  const log = await openEmbeddedLog({ directory, clock: systemClock })
  const bench = createWorkbench({ log, pass: async () => {}, dispose: () => log.close() })
  try {
    const partitions = [0, 1].map((partition) => ({ topic: 'crash', partition }))
    const [left = [], right = []] = await Promise.all(
      partitions.map(async (tp) =>
        (await bench.drain(tp)).records.map((each) => Number(String(each.value).split(' ')[0])),
      ),
    )
    const committed = await log.admin.committedOffsets('crash', partitions, { requireStable: true })
    return { left, right, offsets: partitions.map((tp) => committed.get(partitionKey(tp))?.offset ?? -1) }
  } finally {
    await bench.dispose()
  }
}
