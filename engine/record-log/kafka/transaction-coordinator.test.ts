/** What the end of a transaction amounts to, for every way in which its replies come or fail to. */
import { expect, it } from 'vitest'
import { manualClock } from '../../clock.ts'
import { LogError } from '../port.ts'
import type { Cluster } from './cluster-view.ts'
import { createTransactionCoordinator } from './transaction-coordinator.ts'
import type { Api } from './wire/api.ts'

/** A code, or no reply. */
type Reply = number | 'no reply'

interface Scene {
  readonly protocol?: 1 | 2
  /** What the coordinator says of the last transaction. */
  readonly state?: string
  readonly epoch?: number
}

/** Runs one end against these replies; the last one repeats. */
async function end(outcome: 'commit' | 'abort', replies: readonly Reply[], scene: Scene = {}) {
  const { protocol = 2, state = 'Empty', epoch = 4 } = scene
  const clock = manualClock(0)
  const asked: string[] = []
  let forgotten = 0
  const lane = {
    close() {},
    broker: (nodeId: number) => ({
      nodeId,
      async send<Request, Answer>(api: Api<Request, Answer>): Promise<Answer> {
        if (api.name === 'DescribeTransactions') return [{ error: 0, state, producerId: 7, epoch }] as Answer
        const reply = replies[Math.min(asked.length, replies.length - 1)] ?? 0
        asked.push(`${api.name} v${api.version}`)
        if (reply === 'no reply') throw new LogError('retriable', 'the connection was lost')
        return { error: reply, producerId: 7, epoch: 4 } as Answer
      },
    }),
  }
  const cluster = {
    coordinator: async () => 1,
    forgetCoordinator: () => {
      forgotten++
    },
  } as unknown as Cluster
  const coordinator = createTransactionCoordinator({
    ...{ transactionalId: 't', transactionTimeoutMs: 5000, protocol: () => protocol, cluster, lane, clock },
    closing: new AbortController().signal,
  })
  const producer = { transactionalId: 't', producerId: 7, epoch: 3 }
  let told: unknown
  const ending = coordinator.end(producer, outcome === 'commit').then(
    ({ epoch }) => {
      told = `ended, epoch ${epoch}`
    },
    (error: unknown) => {
      told = error instanceof LogError ? error.kind : error
    },
  )
  while (told === undefined) {
    await new Promise((resolve) => setImmediate(resolve))
    const next = clock.nextTimer()
    if (next !== undefined) clock.advanceTo(next)
  }
  await ending
  return { told, asked: asked.length, forgotten, api: asked[0] }
}

it.each([
  // The reply comes.
  ['commit', [0], 'ended, epoch 4'],
  ['abort', [0], 'ended, epoch 4'],
  ['commit', [47], 'fenced'],
  ['commit', [90], 'fenced'],
  ['commit', [48], 'abortable'],
  ['commit', [120], 'abortable'],
  ['commit', [53], 'rejected'],
  // Nothing is open: that is what an abort wants.
  ['abort', [48], 'ended, epoch 3'],
  // The coordinator is busy or elsewhere.
  ['commit', [51, 51, 0], 'ended, epoch 4'],
  ['commit', [14, 15, 16, 0], 'ended, epoch 4'],
  // The reply is lost: the same end again tells.
  ['commit', ['no reply', 0], 'ended, epoch 4'],
  ['commit', ['no reply', 51, 0], 'ended, epoch 4'],
  // Somebody has ended it, after a first attempt that may have arrived: nobody here can say how.
  ['commit', ['no reply', 47], 'outcome_unknown'],
  ['commit', ['no reply', 90], 'outcome_unknown'],
  ['commit', ['no reply'], 'outcome_unknown'],
  ['commit', ['no reply', 48], 'outcome_unknown'],
  ['commit', [-1, -1, 0], 'ended, epoch 4'],
  ['commit', [-1], 'outcome_unknown'],
  // Every reply was a refusal: it was not ended.
  ['commit', [51], 'retriable'],
  ['commit', [14], 'retriable'],
] as const)('%s answered by %j: %s', async (outcome, replies, wanted) => {
  expect((await end(outcome, replies)).told).toBe(wanted)
})

it('speaks the protocol of the cluster', async () => {
  expect(await end('commit', [0], { protocol: 1 })).toMatchObject({
    told: 'ended, epoch 3',
    api: 'EndTxn v1',
  })
  expect(await end('commit', [0], { protocol: 2 })).toMatchObject({
    told: 'ended, epoch 4',
    api: 'EndTxn v5',
  })
})

it('looks for the coordinator again when it does not answer, not when it is busy', async () => {
  expect((await end('commit', [51, 51, 0])).forgotten).toBe(0)
  expect((await end('commit', [16, 'no reply', 0])).forgotten).toBe(2)
})

it.each([
  ['commit', { state: 'CompleteCommit' }, 'ended, epoch 4'],
  ['commit', { state: 'PrepareCommit' }, 'ended, epoch 4'],
  ['commit', { state: 'CompleteAbort' }, 'abortable'],
  ['abort', { state: 'PrepareAbort' }, 'ended, epoch 4'],
  // Somebody has begun anew: what became of ours is not told any more.
  ['commit', { state: 'CompleteCommit', epoch: 5 }, 'outcome_unknown'],
  ['commit', { state: 'Ongoing' }, 'outcome_unknown'],
  ['commit', { state: 'CompleteCommit', epoch: 3, protocol: 1 }, 'ended, epoch 3'],
  ['commit', { state: 'CompleteCommit', epoch: 4, protocol: 1 }, 'outcome_unknown'],
] as const)(
  '%s whose repetition a restarted coordinator does not recognise, in state %j: %s',
  async (outcome, scene, wanted) => {
    expect((await end(outcome, ['no reply', 47], scene)).told).toBe(wanted)
  },
)
