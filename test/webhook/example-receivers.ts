/** Runs a receiver of `examples/` as its own process, and tells what it printed. */
import { spawn } from 'node:child_process'
import { type AddressInfo, createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { loopbackEgress } from '../../connectors/webhook/address-vetting.ts'
import { createHttpSender } from '../../connectors/webhook/http-sender.ts'
import { type Signer, sign, signer } from '../../connectors/webhook/standard-webhooks.ts'
import { systemClock } from '../../engine/index.ts'
import type { SendOutcome } from '../../ports/sender.ts'

export const exampleSecret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
const otherSecret = `whsec_${Buffer.alloc(32, 8).toString('base64')}`

export interface Example {
  /** Below `examples/receivers`. */
  readonly folder: string
  readonly command: string
  readonly args: readonly string[]
}

const body = Buffer.from('{"event":"out_for_delivery","order_id":"1101","rider":{"name":"Łukasz ✓"}}')

/** What every example has to do, against our own sender. */
export async function checkExample(example: Example): Promise<void> {
  const running = await start(example)
  const sender = createHttpSender({ clock: systemClock, egress: loopbackEgress })
  const send = (id: string, signers: readonly Signer[], changes: { atMs?: number; sent?: Buffer } = {}) =>
    sender.send(
      {
        deliveryId: id,
        endpointId: 'e1',
        partnerId: 'p1',
        url: `http://127.0.0.1:${running.port}/hooks/waybill`,
        headers: {
          'content-type': 'application/json',
          ...sign(id, changes.atMs ?? systemClock.now(), body, signers),
        },
        body: changes.sent ?? body,
        timeoutMs: 15_000,
        secrets: [],
      },
      { signal: new AbortController().signal },
    )
  const statusOf = async (sent: Promise<SendOutcome>) => (await sent).statusCode
  const [right, wrong] = [signer(exampleSecret), signer(otherSecret)]
  try {
    expect(await statusOf(send('event-1', [right]))).toBe(204)
    expect(await statusOf(send('event-1', [right]))).toBe(204)
    // While a secret is being replaced, both sign; the receiver may know either.
    expect(await statusOf(send('event-2', [wrong, right]))).toBe(204)
    expect(await statusOf(send('event-3', [wrong]))).toBe(401)
    expect(await statusOf(send('event-4', [right], { sent: Buffer.from('{}') }))).toBe(401)
    expect(await statusOf(send('event-5', [right], { atMs: systemClock.now() - 600_000 }))).toBe(401)
    await running.printed('event-2')
    expect(running.lines().filter((line) => line.startsWith('event-'))).toEqual([
      'event-1 out_for_delivery of order 1101',
      'event-2 out_for_delivery of order 1101',
    ])
  } finally {
    await sender.close()
    await running.stop()
  }
}

async function start({ folder, command, args }: Example) {
  const port = await freePort()
  const cwd = fileURLToPath(new URL(`../../examples/receivers/${folder}`, import.meta.url))
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, WEBHOOK_SECRET: exampleSecret, PORT: String(port) },
    // A group of its own: `go run` leaves its program behind when only it is ended.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let out = ''
  let err = ''
  const waiting = new Set<() => void>()
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk
    for (const look of waiting) look()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk
  })
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const printed = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = () => {
        if (!out.includes(text)) return
        waiting.delete(look)
        resolve()
      }
      waiting.add(look)
      child.once('error', reject)
      void ended.then(() => reject(new Error(`${command} ended before it printed "${text}": ${err}`)))
      look()
    })
  await printed('listening')
  return {
    port,
    printed,
    lines: () => out.split(/\r?\n/),
    async stop() {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
      await ended
    },
  }
}

function freePort(): Promise<number> {
  const server = createServer()
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}
