import { describe, expect, it } from 'vitest'
import { defaultSource } from './default-source.ts'
import type { MappingProblem, SourceMapping } from './source-blocks.ts'
import { parseSourceMapping } from './source-mapping.ts'
import { blockFor, classifyTopic } from './source-topics.ts'

const mapping = (): SourceMapping => {
  const parsed = parseSourceMapping(defaultSource)
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems))
  return parsed.mapping
}

/** The default document with one change in its first block. */
function problemsWith(change: (block: Record<string, unknown>) => void): readonly MappingProblem[] {
  const document = structuredClone(defaultSource)
  const [block] = document.sources
  if (!block) throw new Error('the default has no block')
  change(block as Record<string, unknown>)
  const parsed = parseSourceMapping(document)
  return 'problems' in parsed ? parsed.problems : []
}

describe('the default mapping', () => {
  it('is a valid document', () => {
    expect(mapping().blocks.map(({ role, connector }) => `${role} ${connector}`)).toEqual([
      'orders mariadb',
      'orders mysql',
      'orders postgresql',
      'assignments mariadb',
      'assignments mysql',
      'assignments postgresql',
    ])
  })

  it('writes out a zone for every local time column', () => {
    for (const { times } of mapping().blocks) {
      for (const time of Object.values(times)) {
        if (time?.form.startsWith('local')) expect(time.zone).toBe('UTC')
      }
    }
  })

  it('takes order and assignment topics, and no other', () => {
    expect(classifyTopic('cdc.oms.orders', mapping())).toBe('orders')
    expect(classifyTopic('cdcpg.dispatch.assignments', mapping())).toBe('assignments')
    for (const other of [
      'oms',
      'oms.transaction',
      '__debezium-heartbeat.oms',
      'oms.schema-history',
      'cdc.oms.orders.dlq',
      'cdc.oms._orders_gho',
    ]) {
      expect(classifyTopic(other, mapping()), other).toBe('ignored')
    }
  })

  it('chooses the block by the connector', () => {
    expect(blockFor('cdc.oms.orders', 'postgresql', mapping())?.name).toBe('postgresql orders')
    expect(blockFor('cdc.oms.orders', 'oracle', mapping())).toBeUndefined()
  })
})

describe('parseSourceMapping', () => {
  it('does not read a local time without a zone', () => {
    const problems = problemsWith((block) => delete block.zone)
    expect(problems.map(({ path }) => path.join('.'))).toEqual([
      'sources.0.times.sla_due_at.zone',
      'sources.0.times.rescheduled_for.zone',
      'sources.0.times.return_pickup_eta.zone',
    ])
    expect(problems[0]?.mend).toContain('zone: Asia/Kolkata')
  })

  it('wants it stated when there is no version, attempt, created or updated column', () => {
    const problems = problemsWith((block) => {
      const { version: _, attempt_no: __, ...columns } = block.columns as Record<string, unknown>
      const { created_at: ___, ...times } = block.times as Record<string, unknown>
      Object.assign(block, { columns, times })
    })
    expect(problems.map(({ path }) => path.join('.'))).toEqual([
      'sources.0.columns.version',
      'sources.0.columns.attempt_no',
      'sources.0.times.created_at',
    ])
    const stated = problemsWith((block) => {
      Object.assign(block.columns as object, { version: 'none', attempt_no: 'none' })
      Object.assign(block.times as object, { created_at: 'none' })
    })
    expect(stated).toEqual([])
  })

  it('names the nearest word for a slip', () => {
    const problems = problemsWith((block) => {
      Object.assign(block, { before_imge: 'full' })
      Object.assign(block.columns as object, { ordr_ref: 'order_number', failure_reason: 'why' })
      Object.assign(block, { events: { CONFIRMED: 'order_confirmd' } })
    })
    const mends = problems.map(({ path, mend }) => `${path.join('.')}: ${mend}`)
    expect(mends).toContain('sources.0.before_imge: did you mean before_image?')
    expect(mends).toContain('sources.0.columns.ordr_ref: did you mean order_ref?')
    expect(mends).toContain('sources.0.columns.failure_reason: did you mean failure_reason_code?')
    expect(mends.find((mend) => mend.startsWith('sources.0.events.CONFIRMED'))).toContain('order_confirmed?')
  })

  it('takes a table whose statuses all have an event, and says that a list of topics is empty', () => {
    expect(problemsWith((block) => Object.assign(block, { no_event: [] }))).toEqual([])
    const [problem] = problemsWith((block) => Object.assign(block, { topics: [] }))
    expect(problem?.message).toBe('topics is an empty list')
  })

  it('refuses a status with an event and none, bad zones, regions and expressions', () => {
    const problems = problemsWith((block) => {
      block.no_event = ['NEW', 'DELIVERED']
      block.zone = 'Asia/Kolkatta'
      block.topics = ['/[/']
    })
    expect(problems.map(({ path }) => path.join('.')).slice(0, 2)).toEqual([
      'sources.0.topics.0',
      'sources.0.zone',
    ])
    expect(problems.some(({ path }) => path.join('.') === 'sources.0.no_event.1')).toBe(true)
    const region = parseSourceMapping({ ...defaultSource, default_region: 'India' })
    expect('problems' in region && region.problems[0]?.path).toEqual(['default_region'])
  })

  it.each([[undefined], [null], ['text'], [[]], [{}], [{ sources: [] }], [{ sources: [null] }]])(
    'says what is wrong with %j instead of throwing',
    (document) => {
      const parsed = parseSourceMapping(document)
      expect('problems' in parsed && parsed.problems.length).toBeGreaterThan(0)
    },
  )

  it('wants a block for orders', () => {
    const parsed = parseSourceMapping({
      ...defaultSource,
      sources: defaultSource.sources.filter(({ role }) => role !== 'orders'),
    })
    expect('problems' in parsed && parsed.problems.map(({ message }) => message)).toEqual([
      'no block has the role orders',
    ])
  })
})
