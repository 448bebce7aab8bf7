/** Instances that come, go, crash and freeze at random while records flow and the log misbehaves, until they are let be. */
import type { Random } from '../../clock.ts'
import type { TestDriver } from '../../testing.ts'
import { turns } from './scene.ts'
import { storyName, words } from './story-topology.ts'

const vocabulary = ['ant', 'bee', 'cat', 'dog', 'eel']
const ids = ['a', 'b', 'c']

export function shakyCluster(driver: TestDriver, random: Random, options: { readonly roles?: boolean }) {
  const { levers } = driver.log
  const steps: string[] = []
  const model = new Map<string, number>()
  const running = new Set(['a'])
  const frozen = new Set<string>()
  const stopping = new Set<string>()
  const failures: unknown[] = []
  const pending: Promise<unknown>[] = []

  const below = (limit: number) => Math.floor(random.next() * limit)
  const pick = <T>(items: readonly T[]): T | undefined => items[below(items.length)]

  async function append() {
    const count = 1 + below(5)
    for (let index = 0; index < count; index++) {
      const word = pick(vocabulary) ?? 'ant'
      model.set(word, (model.get(word) ?? 0) + 1)
      await driver.append(words, { key: String(below(1000)), value: word })
    }
    return `append ${count}`
  }

  function start() {
    const id = pick(ids.filter((known) => !running.has(known) && !stopping.has(known)))
    if (id === undefined) return 'nothing'
    running.add(id)
    const started = driver.start(id).then(({ failed }) => {
      failed.catch((error: unknown) => failures.push(error))
    })
    pending.push(started.catch((error: unknown) => failures.push(error)))
    return `start ${id}`
  }

  function crash(id = pick([...running])) {
    if (id === undefined) return 'nothing'
    const unsynced = random.next() < 0.5 ? 'lose' : 'keep'
    running.delete(id)
    frozen.delete(id)
    driver.application(id).kill()
    driver.disks.crash(id, { unsynced })
    if (random.next() < 0.7) levers.groups.expire(storyName, id)
    else levers.groups.freeze(storyName, id)
    return `crash ${id} (${unsynced})`
  }

  /** The instance dies at some call to the log from now. */
  function crashAtCall() {
    const id = pick([...running])
    if (id === undefined || levers.before) return 'nothing'
    let left = 1 + below(12)
    levers.before = (_operation, who) => {
      if (who !== id || --left > 0) return undefined
      levers.before = undefined
      if (running.has(id)) steps.push(`  ${crash(id)} at ${_operation}`)
      return undefined
    }
    return `crash ${id} in ${left} calls`
  }

  function stop() {
    const id = pick([...running])
    if (id === undefined || running.size < 2 || frozen.has(id)) return 'nothing'
    running.delete(id)
    stopping.add(id)
    pending.push(
      driver
        .application(id)
        .stop()
        .then(() => stopping.delete(id)),
    )
    return `stop ${id}`
  }

  function freeze() {
    const id = pick([...running])
    if (id === undefined) return 'nothing'
    frozen.add(id)
    levers.groups.freeze(storyName, id)
    return `freeze ${id}`
  }

  function thaw() {
    const id = pick([...frozen])
    if (id === undefined) return 'nothing'
    frozen.delete(id)
    levers.groups.thaw(storyName, id)
    return `thaw ${id}`
  }

  function failCall() {
    const operation = pick(['transaction_append', 'commit_offsets', 'end', 'init', 'admin', 'fetch'] as const)
    const kinds =
      operation === 'fetch' || operation === 'admin'
        ? (['retriable'] as const)
        : (['retriable', 'abortable', 'fenced'] as const)
    const kind = pick<'retriable' | 'abortable' | 'fenced'>(kinds)
    // The driver's own questions to the admin are not to fail: only what a take-over asks.
    const transactionalId =
      operation === 'fetch' ? undefined : operation === 'admin' ? 'committedOffsets' : pick(ids)
    if (!operation || !kind) return 'nothing'
    levers.failNext(operation, kind, { times: 1 + below(2), ...(transactionalId && { transactionalId }) })
    return `fail ${operation} as ${kind} for ${transactionalId}`
  }

  function loseReply() {
    const lost = { applied: random.next() < 0.5, times: 1 + below(6), transactionalId: pick(ids) ?? 'a' }
    levers.loseEndReply(lost)
    return `lose replies ${JSON.stringify(lost)}`
  }

  function holdMarkers() {
    const hold = { which: pick(['data', 'offsets', 'both'] as const) ?? 'both', forMs: 1 + below(400) }
    levers.holdMarkers(hold)
    return `hold markers ${JSON.stringify(hold)}`
  }

  function pass() {
    const ms = 1 + below(random.next() < 0.1 ? 12_000 : 300)
    driver.clock.advance(ms)
    return `pass ${ms} ms`
  }

  function releaseMarkers() {
    levers.releaseMarkers()
    return 'release markers'
  }

  const actions: [weight: number, action: () => string | Promise<string>][] = [
    [10, append],
    [8, pass],
    [3, start],
    [2, crash],
    [2, crashAtCall],
    [1, stop],
    [2, freeze],
    [2, thaw],
    [3, failCall],
    [2, loseReply],
    [2, holdMarkers],
    [2, releaseMarkers],
  ]
  const total = actions.reduce((sum, [weight]) => sum + weight, 0)

  async function step() {
    let at = random.next() * total
    for (const [weight, action] of actions) {
      at -= weight
      if (at >= 0) continue
      const done = await action()
      steps.push(done)
      return
    }
  }

  /** No more faults: everything that is still open comes to its end. */
  async function calm() {
    levers.before = undefined
    levers.releaseMarkers()
    for (const id of ids) {
      if (running.has(id) || stopping.has(id)) levers.groups.thaw(storyName, id)
      else levers.groups.expire(storyName, id)
    }
    frozen.clear()
    // With roles, those who are left may not run everything.
    if (running.size === 0 || options.roles) pending.push(driver.start('d'))
    // Time-outs, retry pauses, delays and calls that wait for time: all of them end within this.
    for (let round = 0; round < 200; round++) {
      driver.clock.advance(500)
      await turns(8)
    }
    await Promise.all(pending)
    await driver.settle()
    if (failures.length > 0) throw new AggregateError(failures, `instances failed: ${failures.join('; ')}`)
  }

  return { steps, model, step, calm }
}
