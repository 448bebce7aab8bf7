/** For tests that leave a call open: nothing settles then, so they give the instances turns until something is so. */

/** So many turns of the event loop are far more than any one step of the pipeline takes. */
const turnsMax = 5000

/** Resolves when `isSo` answers true; throws when it never does. Moves no clock. */
export async function until(isSo: () => boolean): Promise<void> {
  for (let turn = 0; turn < turnsMax; turn++) {
    if (isSo()) return
    await new Promise((resolve) => setImmediate(resolve))
  }
  throw new Error(`it did not come to that within ${turnsMax} turns: ${isSo}`)
}

/** Gives `turns` turns: for what must not happen. */
export async function giveTurns(turns = 100): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve))
}

/** A call that stays open until it is told how to end. */
export interface OpenCall<Outcome> {
  readonly outcome: Promise<Outcome>
  end(outcome: Outcome): void
}

/** Makes one. */
export function openCall<Outcome>(): OpenCall<Outcome> {
  let end: (outcome: Outcome) => void = () => {}
  const outcome = new Promise<Outcome>((resolve) => {
    end = resolve
  })
  return { outcome, end: (ended) => end(ended) }
}
