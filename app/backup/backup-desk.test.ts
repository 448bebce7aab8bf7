import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type LogEntry, type LogSnapshot, manualClock } from '../../engine/index.ts'
import { capturedSurroundings } from '../cli/testing/captured-surroundings.ts'
import { runCommand } from '../main.ts'
import { createBackupDesk } from './backup-desk.ts'
import { readBackup } from './read-backup.ts'

/** A log without end, until it is closed. */
function endlessLog() {
  const state = { opened: 0, closed: 0, onClose: () => {} }
  const page: LogEntry[] = [[Buffer.from('k'), Buffer.alloc(100_000)]]
  const snapshot = (): LogSnapshot => {
    state.opened++
    return {
      format: 1,
      async *pages() {
        for (;;) yield page
      },
      async close() {
        state.closed++
        state.onClose()
      },
    }
  }
  return { state, snapshot }
}

const shortLog = (): LogSnapshot => ({
  format: 1,
  async *pages() {
    yield [[Buffer.from('k'), Buffer.from('v')]]
  },
  close: async () => undefined,
})

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'waybill-desk-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const deskOf = (snapshot: (() => LogSnapshot) | undefined) =>
  createBackupDesk({ snapshot, dataDirectory: folder, version: '1.2.3', clock: manualClock(1_000) })

const streamOf = (begun: ReturnType<ReturnType<typeof deskOf>['start']>): Readable => {
  if ('refused' in begun) throw new Error(begun.refused)
  return begun.stream
}
const closed = (stream: Readable) => new Promise<void>((resolve) => stream.once('close', resolve))

describe('the desk for backups', () => {
  it('takes one at a time, and another once that is read', async () => {
    const desk = deskOf(shortLog)
    const stream = streamOf(desk.start())
    expect(desk.start()).toEqual({ refused: 'backup_running' })
    const gone = closed(stream)
    expect(await readBackup(stream)).toMatchObject({ entries: 1, waybill_version: '1.2.3' })
    await gone
    expect(await readBackup(streamOf(desk.start()))).toMatchObject({ created_at: '1970-01-01T00:00:01.000Z' })
  })

  it('lets the log go when nobody reads on, and when Waybill stops', async () => {
    const { state, snapshot } = endlessLog()
    const desk = deskOf(snapshot)
    for (const end of [(stream: Readable) => stream.destroy(), () => desk.stop()]) {
      const stream = streamOf(desk.start())
      stream.on('error', () => undefined)
      await new Promise((resolve) => stream.once('data', resolve))
      stream.pause()
      const gone = new Promise<void>((resolve) => {
        state.onClose = resolve
      })
      end(stream)
      await gone
      expect(state.closed).toBe(state.opened)
    }
  })

  it('makes none of a log that is not ours', () => {
    expect(deskOf(undefined).start()).toEqual({ refused: 'log_elsewhere' })
  })
})

describe('waybill backup --url', () => {
  let server: Server
  const serve = async (answer: Parameters<typeof createServer>[1]) => {
    server = createServer(answer)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }
  afterEach(() => new Promise((resolve) => server.close(resolve)))
  const backup = async (url: string) => {
    const surroundings = capturedSurroundings({ cwd: folder })
    const code = await runCommand(['backup', 'b', '--url', url], surroundings)
    return { code, err: surroundings.stderr.text(), files: await readdir(folder) }
  }

  it('keeps nothing of an answer that breaks off, with or without an error', async () => {
    const whole = streamOf(deskOf(shortLog).start())
    const bytes = Buffer.concat(await whole.toArray())
    for (const end of ['destroy', 'end'] as const) {
      const url = await serve((_, response) => {
        response.writeHead(200)
        response.write(bytes.subarray(0, bytes.length - 10), () => response[end]())
      })
      expect(await backup(url)).toEqual({
        code: end === 'destroy' ? 3 : 2,
        err: expect.stringMatching(
          end === 'destroy' ? /broke off.*ask again/ : /it was cut off.*take another backup/,
        ),
        files: [],
      })
      await new Promise((resolve) => server.close(resolve))
    }
    await serve(undefined)
  })

  it('says what answers instead', async () => {
    const { errorOf } = await import('../../api/errors.ts')
    const url = await serve((_, response) => {
      response
        .writeHead(409, { 'content-type': 'application/json' })
        .end(JSON.stringify(errorOf('log_elsewhere')))
    })
    expect(await backup(url)).toMatchObject({
      code: 2,
      err: expect.stringContaining('the record log is Kafka'),
    })
  })
})
