/**
 * A seeded story of faults: instances come, go, crash and freeze while records flow and the log misbehaves. At its
 * end everything must have happened exactly once. The same seed tells the same story.
 */
import { manualClock, type Random, seededRandom } from '../../clock.ts'
import { topologyBuilder } from '../../graph/builder.ts'
import { effect, type ProcessorDefinition, store } from '../../graph/processor.ts'
import { defineTopic } from '../../graph/topic.ts'
import type { Topology } from '../../graph/topology.ts'
import { utf8 } from '../../serdes/serde.ts'
import { type TestDriver, testDriver } from '../../testing.ts'
import { number, turns } from './scene.ts'

const words = defineTopic({ name: 'words', key: utf8, value: utf8 })
const byWord = defineTopic({ name: 'by-word', key: utf8, value: utf8 })
const totals = defineTopic({ name: 'totals', key: utf8, value: number })
const answers = defineTopic({ name: 'answers', key: utf8, value: number })
const echoes = defineTopic({ name: 'echoes', key: utf8, value: number, timestampType: 'append' })
const late = defineTopic({ name: 'late', key: utf8, value: number })
const echoDelayMs = 300

type CounterShape = {
  inputs: { word: { key: string; value: string }; echo: { key: string; value: number } }
  outputs: {
    total: { key: string; value: number }
    answer: { key: string; value: number }
    echo: { key: string; value: number }
    late: { key: string; value: number }
  }
  stores: { totals: number; answered: number; late: number }
  globals: Record<never, never>
  effects: { ask: { request: string; result: string } }
}

/** Counts each word, asks once per occurrence, counts the answers, and hears an echo of each count 300 ms later. */
const counter: ProcessorDefinition<CounterShape> = {
  stores: { totals: store(number), answered: store(number), late: store(number) },
  effects: { ask: effect<string, string>(utf8) },
  create({ stores, emit, effects, now }) {
    const indexed = new Map<string, number>()
    const next = (name: 'totals' | 'answered' | 'late', key: string) => {
      const value = (stores[name].get(key) ?? 0) + 1
      stores[name].put(key, value)
      return value
    }
    return {
      load: { totals: (key, value) => indexed.set(key, value) },
      inputs: {
        word({ key }) {
          const total = next('totals', key)
          if ((indexed.get(key) ?? 0) !== total - 1)
            throw new Error(`the index of ${key} is not what is stored`)
          indexed.set(key, total)
          emit.total(key, total)
          emit.echo(key, total)
          const id = `${key}#${total}`
          effects.ask.start({ id, key, pool: 'ask', priority: 0, notAfter: now() + 3_600_000, request: id })
        },
        echo({ key, timestamp }) {
          if (now() < timestamp + echoDelayMs) throw new Error('an echo came early')
          emit.late(key, next('late', key))
        },
      },
      results: {
        ask(intent, result) {
          if (result.kind !== 'done') throw new Error(`the call ended as ${result.kind}`)
          emit.answer(intent.key, next('answered', intent.key))
        },
      },
    }
  },
}

function topology(): Topology {
  const builder = topologyBuilder('story')
  const word = builder
    .stream(words)
    .selectKey(({ value }) => value)
    .repartition(byWord)
  builder.process('counter', counter, {
    inputs: { word, echo: builder.delayed(echoes, echoDelayMs) },
    outputs: { total: totals, answer: answers, echo: echoes, late },
    globals: {},
  })
  return builder.build()
}

export interface Story {
  /** What was done to the cluster, for the report of a failing seed. */
  readonly steps: readonly string[]
  /** Occurrences of each word. */
  readonly model: ReadonlyMap<string, number>
  /** The values of each word on each output, in order. */
  outputs(topic: 'totals' | 'answers' | 'late'): Promise<Map<string, number[]>>
  /** Calls that were started, over all instances. */
  readonly calls: () => number
  close(): Promise<void>
}

const vocabulary = ['ant', 'bee', 'cat', 'dog', 'eel']
const ids = ['a', 'b', 'c']

export interface StoryOptions {
  /** Copies of each task with state. */
  readonly standbys?: number
  /** Some instances run only a part. */
  readonly roles?: boolean
  /** Commits wait, and outputs go out ahead of them. */
  readonly ahead?: boolean
}

const roles = { a: ['words'], b: ['counter'] }

/** Tells the story of a seed until all is quiet. */
export async function tellStory(seed: number, length: number, options: StoryOptions = {}): Promise<Story> {
  const random = seededRandom(seed)
  const clock = manualClock(Date.UTC(2026, 0, 1))
  let calls = 0
  const driver = await testDriver({
    topology: topology(),
    clock,
    partitions: 2,
    standbys: options.standbys ?? 0,
    ...(options.roles && { only: roles }),
    ...(options.ahead && { commit: { intervalMs: 50, floorMs: 20, aheadBytes: 1 } }),
    // Faults may come oftener than any real call would have to put up with.
    calls: { maxStarts: 1000 },
    effects: {
      async 'counter.ask'() {
        calls++
        if (random.next() < 0.5) {
          await new Promise<void>((resolve) => {
            clock.at(clock.now() + Math.floor(random.next() * 200), resolve)
          })
        }
        return ''
      },
    },
  })
  const cluster = makeCluster(driver, random, options)
  try {
    for (let step = 0; step < length; step++) {
      await cluster.step()
      await turns(Math.floor(random.next() * 8))
    }
    await cluster.calm()
  } catch (error) {
    await driver.close()
    throw new Error(`seed ${seed}:\n${cluster.steps.join('\n')}\n${driver.reports.join('\n')}`, {
      cause: error,
    })
  }
  return {
    steps: cluster.steps,
    model: cluster.model,
    calls: () => calls,
    async outputs(name) {
      const topic = { totals, answers, late }[name]
      const seen = new Map<string, number[]>()
      for (const { key, value } of await driver.read(topic)) seen.set(key, [...(seen.get(key) ?? []), value])
      return seen
    },
    close: driver.close,
  }
}

function makeCluster(driver: TestDriver, random: Random, options: StoryOptions) {
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
    if (random.next() < 0.7) levers.groups.expire('story', id)
    else levers.groups.freeze('story', id)
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
    levers.groups.freeze('story', id)
    return `freeze ${id}`
  }

  function thaw() {
    const id = pick([...frozen])
    if (id === undefined) return 'nothing'
    frozen.delete(id)
    levers.groups.thaw('story', id)
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
      if (running.has(id) || stopping.has(id)) levers.groups.thaw('story', id)
      else levers.groups.expire('story', id)
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
