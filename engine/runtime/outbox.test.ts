import { expect, it } from 'vitest'
import { type AppendBatch, LogError, type Transaction } from '../record-log/port.ts'
import { makeOutbox } from './outbox.ts'

/** An outbox over a writer whose appends end when they are told to. */
function scene({ aheadBytes = 10 } = {}) {
  const events: string[] = []
  const appends: { resolve(): void; reject(error: Error): void }[] = []
  let gathered = 0
  const transaction: Transaction = {
    append(batches) {
      events.push(`append ${batches.map(({ topic }) => topic)}`)
      return new Promise((resolve, reject) => appends.push({ resolve, reject }))
    },
    commitOffsets: async () => {},
    async end(outcome) {
      events.push(outcome)
      return []
    },
  }
  const writer = {
    begin() {
      events.push('begin')
      return transaction
    },
    init: async () => {},
    append: async () => [],
    close: async () => {},
  }
  const output = {
    bytes: () => gathered,
    take(): AppendBatch[] {
      gathered = 0
      return [{ topic: 'out', partition: 0, records: [] }]
    },
  }
  const killing = new AbortController()
  const outbox = makeOutbox({ writer, output, aheadBytes, report: () => {}, killed: killing.signal })
  return {
    outbox,
    events,
    appends,
    kill: () => killing.abort(),
    emit(bytes: number) {
      gathered += bytes
      outbox.sendAhead()
    },
    ended: () => new Promise<void>((resolve) => setImmediate(resolve)),
  }
}

it('sends nothing before it is worth a request', () => {
  const { outbox, events, emit } = scene()
  emit(9)
  expect(events).toEqual([])
  expect(outbox.take()).toBeUndefined()
})

it('has one append under way, all of one transaction', async () => {
  const { outbox, events, appends, emit, ended } = scene()
  emit(10)
  emit(10)
  expect(events).toEqual(['begin', 'append out'])
  expect(outbox.hasArrived()).toBe(false)
  appends[0]?.resolve()
  await ended()
  expect(outbox.hasArrived()).toBe(true)
  outbox.sendAhead()
  expect(events).toEqual(['begin', 'append out', 'append out'])
})

it('gives the failure of an append to the commit, and sends no more', async () => {
  const { outbox, events, appends, emit, ended } = scene()
  emit(10)
  appends[0]?.reject(new LogError('abortable', 'no'))
  await ended()
  emit(10)
  expect(events).toEqual(['begin', 'append out'])
  await expect(outbox.take()?.appended).rejects.toThrow('no')
})

it('aborts what is dropped only when its append has ended, and says when it is out of the way', async () => {
  const { outbox, events, appends, emit, ended } = scene()
  emit(10)
  outbox.drop()
  let gone = false
  void outbox.dropped().then(() => {
    gone = true
  })
  await ended()
  expect([gone, events]).toEqual([false, ['begin', 'append out']])
  appends[0]?.resolve()
  await ended()
  expect([gone, events]).toEqual([true, ['begin', 'append out', 'abort']])
  expect(outbox.isOpen()).toBe(false)
})

it('sends nothing for a process that is to be as dead', () => {
  const { outbox, events, emit, kill } = scene()
  emit(10)
  kill()
  outbox.drop()
  emit(10)
  expect(events).toEqual(['begin', 'append out'])
})
