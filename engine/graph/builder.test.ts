import { describe, expect, it } from 'vitest'
import { rawBytes, utf8 } from '../serdes/serde.ts'
import { topologyBuilder } from './builder.ts'
import { effect, type ProcessorDefinition, store } from './processor.ts'
import { defineTopic } from './topic.ts'

const topic = (name: string, partitions?: number) =>
  defineTopic({ name, key: utf8, value: utf8, ...(partitions && { partitions }) })
const orders = topic('orders')
const riders = topic('riders')
const events = topic('events')
const config = topic('config')
const retries = defineTopic({ name: 'retries', key: utf8, value: utf8, timestampType: 'append' })

type Shape = {
  inputs: { order: { key: string; value: string }; retry: { key: string; value: string } }
  outputs: { event: { key: string; value: string }; note: { key: string; value: string } }
  stores: { states: string }
  globals: { partners: string }
  effects: { send: { request: string; result: number } }
}
const sender: ProcessorDefinition<Shape> = {
  stores: { states: store(utf8) },
  effects: { send: effect<string, number>(utf8) },
  create: () => ({ inputs: { order: () => {}, retry: () => {} }, results: { send: () => {} } }),
}

function whole() {
  const builder = topologyBuilder('shop')
  const partners = builder.globalTable('partners', config)
  const seen = builder.stream(riders).toTable('seen', utf8)
  const known = builder
    .stream(orders)
    .filter(() => true)
    .leftJoin('with rider', seen, (value) => value)
  const sent = builder.process('sender', sender, {
    inputs: { order: known, retry: builder.delayed(retries, 30_000) },
    outputs: { event: events },
    globals: { partners },
  })
  sent.note.to(retries)
  const { big } = builder.stream(events).branch({ big: () => true, small: () => true })
  big
    .joinGlobal(
      'named',
      partners,
      () => 'p',
      (value) => value,
    )
    .to(topic('named'))
  return builder.build()
}

describe('a topology', () => {
  it('describes itself', () => {
    expect(whole().describe()).toMatchInlineSnapshot(`
      "topology shop
        global table partners ← config
        sub-topology 0
          source riders → seen
          table seen
            store seen.table
          source orders → filter-1
          filter filter-1 → with rider
          left join with rider → sender.order
          delayed source retries (+30 s) → sender.retry
          processor sender → to:events-1, to:retries-1
            store sender.states
            global table partners
            effect send (intents in sender.send.intents)
          sink events
          sink retries
        sub-topology 1
          source events → branch-1
          branch branch-1 → named
          global join named → to:named-1
            global table partners
          sink named"
    `)
  })

  it('draws itself', () => {
    expect(whole().mermaid()).toMatchInlineSnapshot(`
      "flowchart TD
        n0[(riders)]
        n1[(orders)]
        n2[(retries)]
        n3[(events)]
        n4[(named)]
        subgraph s0 [sub-topology 0]
          n5["table seen"]
          n6["filter filter-1"]
          n7["left join with rider"]
          n8["processor sender"]
        end
        n0 --> n5
        n1 --> n6
        n6 --> n7
        n7 --> n8
        n2 -->|+30 s| n8
        n8 --> n3
        n8 --> n2
        n5 -.-> n7
        subgraph s1 [sub-topology 1]
          n9["branch branch-1"]
          n10["global join named"]
        end
        n3 --> n9
        n9 --> n10
        n10 --> n4
        n11[(config)]
        n11 -.-> n8
        n11 -.-> n10"
    `)
  })

  it('is cut where a topic lies between, and nowhere else', () => {
    const { subTopologies } = whole()
    expect(subTopologies.map(({ sources }) => sources.map((source) => source.topic.name))).toEqual([
      ['riders', 'orders', 'retries'],
      ['events'],
    ])
    expect(subTopologies.map(({ keyed }) => keyed)).toEqual([true, false])
  })
})

describe('building refuses', () => {
  const building = (write: (builder: ReturnType<typeof topologyBuilder>) => void) => () => {
    const builder = topologyBuilder('refused')
    write(builder)
    builder.build()
  }

  it('two nodes of one name', () => {
    expect(
      building((builder) => {
        const count = { initial: () => '', add: () => '', value: utf8 }
        builder.stream(orders).aggregate('count', count)
        builder.stream(riders).aggregate('count', count)
      }),
    ).toThrow(/two nodes are named count/)
    expect(
      building((builder) => {
        builder.globalTable('twice', config)
        builder.stream(orders).toTable('twice', utf8)
      }),
    ).toThrow(/two nodes are named twice/)
  })

  it('names that could not be told apart in state keys', () => {
    expect(building((builder) => builder.stream(orders).toTable('a|b', utf8))).toThrow(/cannot be a name/)
  })

  it('one topic read in two ways', () => {
    expect(
      building((builder) => {
        builder.delayed(retries, 30_000)
        builder.delayed(retries, 120_000)
      }),
    ).toThrow(/two delays \(30000 and 120000\)/)
    expect(
      building((builder) => {
        builder.stream(retries)
        builder.delayed(retries, 30_000)
      }),
    ).toThrow(/two delays \(none and 30000\)/)
    expect(
      building((builder) => {
        builder.stream(orders)
        builder.stream(orders, { aligned: false })
      }),
    ).toThrow(/both aligned and unaligned/)
  })

  it('a topic that is declared twice', () => {
    expect(building((builder) => builder.stream(orders).to(topic('orders')))).toThrow(/declared twice/)
  })

  it('a delayed source on timestamps that writers choose', () => {
    expect(building((builder) => builder.delayed(orders, 1000))).toThrow(/timestampType 'append'/)
  })

  it('state over topics that are partitioned differently', () => {
    const wide = topic('wide', 8)
    const narrow = topic('narrow', 4)
    expect(
      building((builder) => {
        const table = builder.table('table', wide)
        builder.stream(narrow).join('joined', table, (value) => value)
      }),
    ).toThrow(/wide \(8 partitions\) and narrow \(4 partitions\) .* partitioned alike/)
    expect(building((builder) => builder.stream(wide).merge(builder.stream(narrow)).to(events))).not.toThrow()
  })

  it('a processor without a source', () => {
    expect(
      building((builder) =>
        builder.process(
          'alone',
          { stores: {}, effects: {}, create: () => ({ inputs: {} }) },
          { inputs: {}, outputs: {}, globals: {} },
        ),
      ),
    ).toThrow(/alone is connected to no source/)
  })

  it('streams of another builder', () => {
    const other = topologyBuilder('other').stream(orders)
    expect(building((builder) => builder.stream(riders).merge(other))).toThrow(/another builder/)
  })

  it('a bulk sink beside anything that must be exactly once', () => {
    const beside = /share their sources/
    expect(
      building((builder) => {
        builder.stream(orders).bulkSink('archive')
        builder.stream(orders).to(events)
      }),
    ).toThrow(beside)
    expect(
      building((builder) => {
        builder.stream(orders).bulkSink('archive')
        builder.stream(orders).toTable('kept', utf8)
      }),
    ).toThrow(beside)
    expect(
      building((builder) => {
        builder.stream(orders).bulkSink('archive')
        builder.stream(orders).bulkSink('second')
      }),
    ).toThrow(beside)
  })

  it('a key whose serde nobody knows', () => {
    expect(
      building((builder) => {
        const rekeyed = builder
          .stream(defineTopic({ name: 'raw', key: rawBytes, value: utf8 }))
          .selectKey(() => 'k')
        const keyed = rekeyed as unknown as ReturnType<typeof builder.stream<string, string>>
        keyed.toTable('table', utf8)
      }),
    ).toThrow(/repartition the stream first/)
  })
})
