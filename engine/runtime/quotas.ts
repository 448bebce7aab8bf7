/**
 * How many tasks of each sub-topology each member should have. Pure. Two promises: within a sub-topology the numbers
 * differ by one at most among those who run it, and which members get the odd ones is chosen so that the totals are
 * as even as they can be, by those who have them already where that costs nothing.
 */

/** A sub-topology, as the distribution sees it. */
export interface Demand {
  readonly tasks: number
  /** Those who may run it, with what they own of it now. */
  readonly members: ReadonlyMap<string, number>
}

interface Spread {
  readonly floor: number
  readonly members: ReadonlyMap<string, number>
  /** Those who get one more than the floor. */
  readonly odd: Set<string>
}

/** For each demand, member → number of tasks. A demand that nobody may run has no entries. */
export function quotasOf(demands: readonly Demand[]): Map<string, number>[] {
  const totals = new Map<string, number>()
  const add = (member: string, count: number) => totals.set(member, (totals.get(member) ?? 0) + count)
  const spreads = demands.map(({ tasks, members }): Spread => {
    const floor = members.size === 0 ? 0 : Math.floor(tasks / members.size)
    for (const member of members.keys()) add(member, floor)
    return { floor, members, odd: new Set() }
  })
  for (const [index, { members, floor, odd }] of spreads.entries()) {
    const count = members.size === 0 ? 0 : (demands[index]?.tasks ?? 0) % members.size
    const byWish = [...members.keys()].sort(
      (a, b) =>
        Number((members.get(b) ?? 0) > floor) - Number((members.get(a) ?? 0) > floor) ||
        (totals.get(a) ?? 0) - (totals.get(b) ?? 0) ||
        (a < b ? -1 : 1),
    )
    for (const member of byWish.slice(0, count)) {
      odd.add(member)
      add(member, 1)
    }
  }
  while (evenOut(spreads, totals)) {
    // Each step lowers the sum of the squares of the totals, so this ends.
  }
  return spreads.map(
    ({ members, floor, odd }) =>
      new Map([...members.keys()].map((member) => [member, floor + (odd.has(member) ? 1 : 0)])),
  )
}

/** Moves one odd task from a member with at least two more than another, along a chain of members if need be. */
function evenOut(spreads: readonly Spread[], totals: Map<string, number>): boolean {
  const fullestFirst = [...totals.keys()].sort((a, b) => (totals.get(b) ?? 0) - (totals.get(a) ?? 0))
  for (const from of fullestFirst) {
    const chain = chainToPoorer(from, spreads, totals)
    if (!chain) continue
    for (const { spread, giver, taker } of chain) {
      spread.odd.delete(giver)
      spread.odd.add(taker)
    }
    const to = chain.at(-1)?.taker ?? from
    totals.set(from, (totals.get(from) ?? 0) - 1)
    totals.set(to, (totals.get(to) ?? 0) + 1)
    return true
  }
  return false
}

interface Step {
  readonly spread: Spread
  readonly giver: string
  readonly taker: string
}

/** The shortest chain of odd tasks handed on that ends at a member with at least two tasks fewer. */
function chainToPoorer(
  from: string,
  spreads: readonly Spread[],
  totals: ReadonlyMap<string, number>,
): Step[] | undefined {
  const reached = new Map<string, Step | undefined>([[from, undefined]])
  for (const giver of reached.keys()) {
    for (const spread of spreads) {
      if (!spread.odd.has(giver)) continue
      for (const taker of spread.members.keys()) {
        if (reached.has(taker) || spread.odd.has(taker)) continue
        reached.set(taker, { spread, giver, taker })
        if ((totals.get(taker) ?? 0) + 2 <= (totals.get(from) ?? 0)) return chainBack(taker, reached)
      }
    }
  }
  return undefined
}

function chainBack(end: string, reached: ReadonlyMap<string, Step | undefined>): Step[] {
  const steps: Step[] = []
  for (let step = reached.get(end); step; step = reached.get(step.giver)) steps.unshift(step)
  return steps
}
