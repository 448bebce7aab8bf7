/** The small topology that the runtime's tests share: one processor whose behaviour each test writes down itself. */
import { topologyBuilder } from '../../graph/builder.ts'
import {
  effect,
  type ProcessorContext,
  type ProcessorDefinition,
  type ProcessorHandlers,
  store,
} from '../../graph/processor.ts'
import { defineTopic } from '../../graph/topic.ts'
import type { Topology } from '../../graph/topology.ts'
import { partitionFor } from '../../record-log/partitioner.ts'
import { type Serde, UndecodableError, utf8 } from '../../serdes/serde.ts'
import { type TestDriver, type TestDriverOptions, testDriver } from '../../testing.ts'
import type { DeadLetter } from '../dead-letter.ts'

/** Decimal numbers as text. */
export const number: Serde<number> = {
  serialize: (value) => Buffer.from(String(value)),
  deserialize(bytes) {
    const value = Number(utf8.deserialize(bytes))
    if (Number.isNaN(value)) throw new UndecodableError('not_a_number', 'not a number')
    return value
  },
}

export const input = defineTopic({ name: 'in', key: utf8, value: utf8 })
/** Small records only: what is larger is refused when it is emitted. */
export const output = defineTopic({ name: 'out', key: utf8, value: utf8, maxRecordBytes: 1000 })
export const refused = defineTopic({ name: 'refused', key: utf8, value: utf8 })

export type SceneShape = {
  inputs: { in: { key: string; value: string } }
  outputs: { out: { key: string; value: string } }
  stores: { kept: string }
  globals: Record<never, never>
  effects: { call: { request: string; result: string } }
}

export type SceneContext = ProcessorContext<SceneShape>
export type SceneHandlers = ProcessorHandlers<SceneShape>

export const sceneName = 'scene'

/** in → processor `p` with the store `kept` and the effect `call` → out. */
export function sceneTopology(
  create: (context: SceneContext) => Partial<SceneHandlers>,
  more: Pick<ProcessorDefinition<SceneShape>, 'punctuators' | 'commit'> = {},
): Topology {
  const definition: ProcessorDefinition<SceneShape> = {
    ...more,
    stores: { kept: store(utf8) },
    effects: { call: effect<string, string>(utf8) },
    create: (context) => ({
      inputs: { in: () => {} },
      results: { call: () => {} },
      ...create(context),
    }),
  }
  const builder = topologyBuilder(sceneName)
  builder.process('p', definition, {
    inputs: { in: builder.stream(input) },
    outputs: { out: output },
    globals: {},
  })
  return builder.build()
}

/** The running total of each key, kept and emitted: what exactly-once is checked against. */
export const counting = (context: SceneContext): Partial<SceneHandlers> => ({
  inputs: {
    in({ key }) {
      const total = Number(context.stores.kept.get(key) ?? 0) + 1
      context.stores.kept.put(key, String(total))
      context.emit.out(key, String(total))
    },
  },
})

export const deadLetter: DeadLetter = {
  topic: refused,
  encode: ({ topic, partition, record, reason }) => ({
    key: reason,
    value: `${topic}:${partition}@${record.offset}`,
  }),
}

export interface SceneOptions extends Omit<TestDriverOptions, 'topology' | 'effects'> {
  readonly call?: (
    request: string,
    about: {
      id: string
      again: boolean
      starts: number
      signal: AbortSignal
      kept: (key: string) => string | undefined
    },
  ) => Promise<string>
}

/** A driver over the scene, with one partition unless asked for more. */
export function openScene(topology: Topology, options: SceneOptions = {}): Promise<TestDriver> {
  const { call = async (request) => request, ...rest } = options
  return testDriver({
    topology,
    partitions: 1,
    deadLetter,
    effects: {
      'p.call': async (
        intent: { id: string; request: string },
        view,
        about: { signal: AbortSignal; again: boolean; starts: number },
      ) => call(intent.request, { ...about, id: intent.id, kept: (key) => view.read<string>('kept', key) }),
    },
    ...rest,
  })
}

/** `key=value` of every committed output, partition by partition. */
export const outputs = async (driver: TestDriver): Promise<string[]> =>
  (await driver.read(output)).map(({ key, value }) => `${key}=${value}`)

/** Inputs with these keys, all with the value `x` unless given as `key=value`. */
export const records = (...texts: string[]) =>
  texts.map((text) => {
    const [key = '', value = 'x'] = text.split('=')
    return { key, value }
  })

/** A key that lands in this partition. */
export function keyIn(partition: number, partitions: number, prefix = 'k'): string {
  for (let index = 0; ; index++) {
    const key = `${prefix}${index}`
    if (partitionFor(Buffer.from(key), partitions) === partition) return key
  }
}

/** Lets promises and the loops go on for a while, without waiting for anything to settle. */
export async function turns(count = 30): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve))
}

/** A call under the test's control: it is open until `answer` or `fail`. */
export function openCalls() {
  const open: {
    request: string
    again: boolean
    starts: number
    answer: (text: string) => void
    fail: (error: Error) => void
  }[] = []
  const started: string[] = []
  return {
    open,
    /** Requests in the order in which their calls were started. */
    started,
    call: (request: string, { again, starts }: { again: boolean; starts: number }) =>
      new Promise<string>((answer, fail) => {
        started.push(request)
        open.push({ request, again, starts, answer, fail })
      }),
    answerAll() {
      for (const call of open.splice(0)) call.answer(`ok ${call.request}`)
    },
  }
}

/** Something to wait for until the test lets it pass. */
export function gate() {
  let open = () => {}
  const passed = new Promise<void>((resolve) => {
    open = resolve
  })
  return { passed, open: () => open() }
}
