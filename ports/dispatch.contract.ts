/** What every dispatch that can be asked does, whatever it is made of: run by each adapter's test. */
import { afterEach, describe, expect, it } from 'vitest'
import type { DispatchAnswer, DispatchedRider, DispatchLookup } from './dispatch.ts'

/** A rider and the attempt that is theirs. */
export interface Assigned {
  readonly orderId: string
  readonly attemptNo: number
  readonly rider: DispatchedRider
}

export interface OpenedDispatch {
  readonly dispatch: DispatchLookup
  /** Makes dispatch unreachable. Absent where it cannot be: it is part of the same process. */
  readonly cutOff?: () => Promise<void>
  close(): Promise<void>
}

export interface DispatchContractOptions {
  readonly name: string
  /** Opens one that knows riders of at least one order with two attempts, and says which. */
  readonly open: () => Promise<OpenedDispatch & { readonly known: readonly Assigned[] }>
  /** Why it cannot be asked for the newest attempt, where it cannot. */
  readonly withoutNewest?: string
}

/** Declares the suite for one adapter. */
export function dispatchContract({ name, open, withoutNewest }: DispatchContractOptions): void {
  const opened: OpenedDispatch[] = []
  afterEach(async () => {
    for (const one of opened.splice(0)) await one.close()
  })
  const openOne = async () => {
    const one = await open()
    opened.push(one)
    return one
  }
  const ask = (
    { dispatch }: OpenedDispatch,
    orderId: string,
    attemptNo: number | null,
    signal = new AbortController().signal,
  ): Promise<DispatchAnswer> => dispatch.lookup(orderId, attemptNo, { signal })

  describe(`${name} as a dispatch to ask`, () => {
    it('answers the rider of exactly the attempt that was asked for', async () => {
      const one = await openOne()
      expect(one.known.length).toBeGreaterThan(1)
      for (const { orderId, attemptNo, rider } of one.known) {
        expect(await ask(one, orderId, attemptNo)).toEqual({ kind: 'found', rider })
      }
    })

    it('answers not yet for an attempt or an order that nobody is assigned to', async () => {
      const one = await openOne()
      const [{ orderId } = { orderId: '' }] = one.known
      expect(await ask(one, orderId, 99)).toEqual({ kind: 'not_yet' })
      expect(await ask(one, 'nobody-ordered-this', 1)).toEqual({ kind: 'not_yet' })
    })

    it.skipIf(withoutNewest !== undefined)(
      `answers the newest attempt where none is named${withoutNewest === undefined ? '' : ` (skipped: ${withoutNewest})`}`,
      async () => {
        const one = await openOne()
        const newest = one.known.reduce((a, b) => (b.attemptNo > a.attemptNo ? b : a))
        expect(await ask(one, newest.orderId, null)).toEqual({ kind: 'found', rider: newest.rider })
      },
    )

    it('answers many questions at once, each with its own rider', async () => {
      const one = await openOne()
      const asked = Array.from({ length: 50 }, (_, index) => one.known[index % one.known.length])
      const answers = await Promise.all(
        asked.map((assigned) => ask(one, assigned?.orderId ?? '', assigned?.attemptNo ?? 0)),
      )
      expect(answers).toEqual(asked.map((assigned) => ({ kind: 'found', rider: assigned?.rider })))
    })

    it('never rejects when the question is withdrawn', async () => {
      const one = await openOne()
      const [{ orderId, attemptNo } = { orderId: '', attemptNo: 1 }] = one.known
      const withdrawn = new AbortController()
      const answer = ask(one, orderId, attemptNo, withdrawn.signal)
      withdrawn.abort()
      expect(['found', 'unavailable']).toContain((await answer).kind)
      expect(['found', 'unavailable']).toContain((await ask(one, orderId, attemptNo, withdrawn.signal)).kind)
    })

    it('answers that it is unavailable, and why, when it cannot be reached', async () => {
      const one = await openOne()
      if (!one.cutOff) return
      await one.cutOff()
      const [{ orderId, attemptNo } = { orderId: '', attemptNo: 1 }] = one.known
      const answer = await ask(one, orderId, attemptNo)
      expect(answer).toEqual({ kind: 'unavailable', message: expect.stringMatching(/\S/) })
      for (const { rider } of one.known) {
        expect(JSON.stringify(answer)).not.toContain(rider.otp ?? 'none')
      }
    })
  })
}
