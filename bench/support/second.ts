/** The benchmark's end of the second instance: starts it, answers for it, and kills it. */
import { fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { SendOutcome } from '../../ports/sender.ts'
import { kafkaArguments } from './bench-log.ts'
import type { SecondAnswer, SecondMessage } from './second-child.ts'
import type { AskedFor } from './waiting-sender.ts'

export interface Second {
  /** Partitions of DELIVER that run there, as of at most 100 ms ago. */
  partitions(): readonly number[]
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>
}

export interface SecondOptions {
  /** Of the stand that it joins. */
  readonly urls: readonly string[]
  readonly maxConcurrent: number
  readonly answer: (asked: AskedFor) => SendOutcome
}

export function startSecond({ urls, maxConcurrent, answer }: SecondOptions): Second {
  const directory = mkdtempSync(join(tmpdir(), 'waybill-second-'))
  const script = fileURLToPath(new URL('./second-child.js', import.meta.url))
  const child = fork(script, [directory, String(maxConcurrent), ...urls, ...kafkaArguments], { execArgv: [] })
  let partitions: readonly number[] = []
  let killed = false
  const ended = new Promise<void>((resolve) =>
    child.once('exit', (code) => {
      rmSync(directory, { recursive: true, force: true })
      // Whatever was measured without it would be about something else.
      if (!killed) throw new Error(`the second instance ended by itself with ${code}`)
      resolve()
    }),
  )
  child.on('message', (message: SecondMessage) => {
    if (message.kind === 'runs') partitions = message.partitions
    else if (!killed) {
      // What it asked just before is not answered any more: nobody would know.
      const answered: SecondAnswer = { call: message.call, outcome: answer(message.asked) }
      child.send(answered, () => undefined)
    }
  })
  return {
    partitions: () => partitions,
    kill() {
      killed = true
      child.kill('SIGKILL')
      return ended
    },
  }
}
