/**
 * A second instance beside a benchmark's own, in a process that can be killed: joins the group with warm copies, asks
 * its parent what to answer to each request, and tells which partitions of DELIVER run here. Run by `second.ts`.
 */
import type { SendOutcome } from '../../ports/sender.ts'
import { benchArguments } from './bench-log.ts'
import { openStand } from './delivery-stand.ts'
import { wait } from './machine.ts'
import { type AskedFor, askedFor } from './waiting-sender.ts'

/** What it tells its parent. */
export type SecondMessage =
  | { readonly kind: 'asks'; readonly call: number; readonly asked: AskedFor }
  | { readonly kind: 'runs'; readonly partitions: readonly number[] }

/** What its parent answers. */
export interface SecondAnswer {
  readonly call: number
  readonly outcome: SendOutcome
}

const tellEveryMs = 100

/** Nobody may listen any more: then `disconnect` follows, and ends this. */
const send = (message: SecondMessage) => process.send?.(message, undefined, undefined, () => undefined)

const [directory = '', maxConcurrent = '1', ...urls] = benchArguments
const open = new Map<number, (outcome: SendOutcome) => void>()
let calls = 0

process.on('message', ({ call, outcome }: SecondAnswer) => {
  open.get(call)?.(outcome)
  open.delete(call)
})
process.on('disconnect', () => process.exit(0))

const stand = await openStand({
  ...{ directory, joins: true, instanceId: 'second', standbys: 1 },
  ...{ urls, maxConcurrent: Number(maxConcurrent), all: false },
  sender: () => ({
    send: (request) =>
      new Promise((resolve) => {
        const call = calls++
        open.set(call, resolve)
        send({ kind: 'asks', call, asked: askedFor(request) })
      }),
  }),
})
for (;;) {
  send({ kind: 'runs', partitions: [...stand.pipeline().application.partitionsOf('deliver')] })
  await wait(tellEveryMs)
}
