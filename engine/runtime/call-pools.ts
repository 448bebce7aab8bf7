/**
 * Where calls wait and run: a line and slots for each pool (`turn-queue.ts`), one bound over all, and room aside for
 * those that take long (`slow-calls.ts`). Knows nothing of what a call does, nor of what comes of it.
 */
import { type SlowCalls, slowWatch } from './slow-calls.ts'
import { type Slot, type TurnQueue, turnQueue } from './turn-queue.ts'

export interface CallPoolsOptions {
  /** Calls at once, by pool. */
  readonly pools: Readonly<Record<string, number>>
  /** Calls at once of a pool that is not named in `pools`. */
  readonly defaultPoolSize: number
  /** Calls at once, over all pools; those set aside are counted apart. */
  readonly total: number
  /** Pools whose long calls are set aside. */
  readonly slow?: SlowCalls
  /** Calls at once of one key. */
  readonly perKey: number
}

/** What waits or runs. */
export interface Pooled {
  readonly place: { readonly pool: string; readonly key: string; readonly priority: number }
  /** Where it counts while it holds a slot. */
  slot: Slot
}

export interface CallPools<T extends Pooled> {
  /** It waits for a slot. */
  add(item: T): void
  /** It waits no longer. */
  remove(item: T): void
  /** Hands what may go now to `go`, each with a slot that it holds until `release` or `end`. */
  fill(accepts: (item: T) => boolean, go: (item: T) => void): void
  /** Gives the slot of one back that did not run. */
  release(item: T): void
  /** One that has a slot runs from now on; only those that run count for the bound over all. */
  begin(item: T): void
  /** It has run; its slot is free. */
  end(item: T): void
  running(): number
  stop(): void
}

/** `onRoom` is called when something was set aside, so that others may go. */
export function callPools<T extends Pooled>(options: CallPoolsOptions, onRoom: () => void): CallPools<T> {
  const pools = new Map<string, TurnQueue<T>>()
  let running = 0
  let aside = 0
  const slow = options.slow && slowWatch<T>(options.slow, { setAside, onRung: onRoom })

  function poolOf(name: string): TurnQueue<T> {
    const known = pools.get(name)
    if (known) return known
    const made = turnQueue<T>({
      size: options.pools[name] ?? options.defaultPoolSize,
      perKey: options.perKey,
      ...(options.slow && { aside: options.slow.aside[name] ?? 0 }),
    })
    pools.set(name, made)
    return made
  }

  function setAside(item: T) {
    const { pool, key } = item.place
    // Without room it keeps its slot: the pool is what bounds all of them.
    if (!poolOf(pool).setAside(key)) return
    item.slot = 'aside'
    aside++
  }

  const release = ({ place, slot }: T) => poolOf(place.pool).release(place.key, slot)

  return {
    add: (item) => poolOf(item.place.pool).add(item, item.place),
    remove: (item) => poolOf(item.place.pool).remove(item, item.place),
    fill(accepts, go) {
      for (const pool of pools.values()) {
        while (running - aside < options.total) {
          const taken = pool.take(accepts)
          if (!taken) break
          taken.item.slot = taken.slot
          go(taken.item)
        }
      }
    },
    release,
    begin(item) {
      running++
      if (item.slot === 'aside') aside++
      else if (options.slow?.aside[item.place.pool]) slow?.begin(item)
    },
    end(item) {
      running--
      if (item.slot === 'aside') aside--
      slow?.end(item)
      release(item)
    },
    running: () => running,
    stop: () => slow?.stop(),
  }
}
