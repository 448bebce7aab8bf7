import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { everything, type Scope, type StatusFilter } from '../../ports/delivery-log.ts'
import { attempted, batch, idOf, testStartMs } from '../../ports/testing/log-records.ts'
import { createPostgresDeliveryLog } from './delivery-log.ts'
import { openEmbeddedDatabase } from './embedded-database.ts'
import { migrate } from './migrate.ts'
import { migrations } from './migrations.ts'
import { openServerDatabase } from './server-database.ts'
import type { SqlDatabase } from './sql-database.ts'
import { findPostgres, startPostgres } from './testing/postgres-server.ts'
import { createScratch, prepareTemplate, templateTimeoutMs } from './testing/scratch.ts'

const [event, delivery] = [idOf('event-1'), idOf('event-1 at ep-1')]

/** A dead delivery as the first release wrote it. Never edited: it is what lies in people's databases. */
const rowsOfFirstRelease = (schema: string) =>
  [
    `insert into ${schema}.events values ('${event}', 'partner-1', '1101', 'delivered', ${testStartMs}, ${testStartMs})`,
    `insert into ${schema}.payloads values ('${event}', 'v2', '{}')`,
    `insert into ${schema}.deliveries (delivery_id, event_id, endpoint_id, partner_id, order_id, event,
       payload_version, occurred_at, routed_at, order_sequence, version, changed_at, change, state, retry_count, reason)
     values ('${delivery}', '${event}', 'ep-1', 'partner-1', '1101', 'delivered', 'v2', ${testStartMs},
       ${testStartMs}, 3, 2, ${testStartMs}, 'ATTEMPTED', 'dead', 3, 'http_5xx')`,
    `insert into ${schema}.attempts (delivery_id, attempt_id, version, retry_count, trigger, started_at, reported_at,
       outcome, status_code, duration_ms, again, resulting_state)
     values ('${delivery}', '${idOf('attempt')}', 2, 3, 'RETRY', ${testStartMs}, ${testStartMs}, 'http_5xx', 503, 42,
       false, 'dead')`,
  ].map((text) => ({ text }))

/** The same delivery for another endpoint, still waiting. */
const waitingOfFirstRelease = (schema: string) => ({
  text: `insert into ${schema}.deliveries (delivery_id, event_id, endpoint_id, partner_id, order_id, event,
       payload_version, occurred_at, routed_at, order_sequence, version, changed_at, change, state, retry_count, reason)
     values ('${idOf('event-1 at ep-2')}', '${event}', 'ep-2', 'partner-1', '1101', 'delivered', 'v2', ${testStartMs},
       ${testStartMs}, 3, 1, ${testStartMs}, 'ACCEPTED', 'waiting', 0, null)`,
})

/** Takes a schema of the first release, with rows in it, to the newest. */
function migratesItsData(open: () => SqlDatabase) {
  it('keeps its rows, shows them with what was not known then, and goes on with them', async () => {
    const [database, schema] = [open(), 'first_release']
    expect(await migrate(database, schema, migrations.slice(0, 1))).toEqual([1])
    await database.transaction(rowsOfFirstRelease(schema))
    const log = await createPostgresDeliveryLog({ database, schema })
    expect(await log.getDelivery(everything, delivery)).toMatchObject({
      delivery: {
        state: 'dead',
        reason: 'http_5xx',
        by_hand: false,
        out_of_order: false,
        waited_for_order_ms: 0,
        redrive_id: null,
      },
      attempts: [{ status_code: 503, queued_ms: 0, retry_after_ms: null }],
      payload: '{}',
    })
    const redriven = { redrive_id: 'redrive-1', out_of_order: true }
    await log.write(batch({ history: [attempted({ version: 3, event: 'delivered', ...redriven })] }))
    for (const filter of [{ redriveId: 'redrive-1' }, { outOfOrder: true }]) {
      expect(await log.listDeliveries(everything, filter, { limit: 5 })).toMatchObject({
        deliveries: [{ delivery_id: delivery, state: 'delivered', attempts: 2, ...redriven }],
      })
    }
  })

  it('finds what was waiting, dead or retried before, and what became of it', async () => {
    const [database, schema] = [open(), 'first_states']
    await migrate(database, schema, migrations.slice(0, 1))
    await database.transaction([...rowsOfFirstRelease(schema), waitingOfFirstRelease(schema)])
    const log = await createPostgresDeliveryLog({ database, schema })
    const endpointsOf = async (status: StatusFilter, scope: Scope = everything) => {
      const page = await log.listDeliveries(scope, { status }, { limit: 5 })
      return page === 'bad_cursor' ? page : page.deliveries.map(({ endpoint_id }) => endpoint_id)
    }
    for (const scope of [everything, { partnerId: 'partner-1' }]) {
      expect(await endpointsOf('waiting', scope)).toEqual(['ep-2'])
      expect(await endpointsOf('dead', scope)).toEqual(['ep-1'])
      expect(await endpointsOf('retried', scope)).toEqual(['ep-1'])
    }
    const of = { of: 'event-1', event: 'delivered' }
    await log.write(
      batch({
        history: [
          attempted({ ...of, endpoint_id: 'ep-1', version: 3 }),
          attempted({ ...of, endpoint_id: 'ep-2', version: 2 }),
        ],
      }),
    )
    for (const status of ['waiting', 'dead', 'retried'] as const)
      expect(await endpointsOf(status)).toEqual([])
    expect(await endpointsOf('delivered')).toEqual(['ep-2', 'ep-1'])
  })

  it('finds what is rare by an index of its own', async () => {
    const database = open()
    await migrate(database, 'planned')
    const plan = async (condition: string) => {
      const [, , , rows] = await database.transaction([
        // Of an empty table every plan is as good.
        ...['seqscan', 'bitmapscan', 'sort'].map((way) => ({ text: `set local enable_${way} = off` })),
        {
          text: `explain select 1 from planned.exceptions d where ${condition}
            order by occurred_at desc, event_id desc limit 5`,
        },
      ])
      return JSON.stringify(rows)
    }
    expect(await plan("d.redrive_id = 'redrive-1'")).toContain('exceptions_of_redrive')
    expect(await plan('d.out_of_order')).toContain('exceptions_out_of_order')
    expect(await plan("d.state = 'dead'")).toContain('exceptions_in_state')
    expect(await plan("d.state = 'skipped' and d.partner_id = 'p'")).toContain(
      'exceptions_of_partner_in_state',
    )
    expect(await plan("d.endpoint_id = 'e' and d.retry_count > 0")).toContain(
      'exceptions_of_endpoint_retried',
    )
    expect(await plan('not d.out_of_order')).not.toContain('exceptions_out_of_order')
  })

  it('names no column in an index of deliveries that a change of one writes', async () => {
    const database = open()
    await migrate(database, 'planned')
    const rows = await database.query({
      text: "select indexdef from pg_indexes where schemaname = 'planned' and tablename = 'deliveries'",
    })
    const changing = /state|retry_count|redrive_id|out_of_order|version\b|changed_at|reason/
    expect(rows.length).toBeGreaterThan(2)
    for (const { indexdef } of rows) expect(String(indexdef)).not.toMatch(changing)
  })
}

describe('the embedded database of an earlier release', () => {
  const scratch = createScratch()
  let database: SqlDatabase
  beforeAll(async () => {
    await prepareTemplate()
    database = await openEmbeddedDatabase({ directory: scratch.directory() })
  }, templateTimeoutMs)
  afterAll(async () => {
    await database?.close()
    scratch.remove()
  })
  migratesItsData(() => database)
})

const found = findPostgres()
describe.skipIf('skip' in found)(
  `a server's schema of an earlier release${'skip' in found ? ` (skipped: ${found.skip})` : ''}`,
  () => {
    let database: SqlDatabase
    let stopServer: () => Promise<void>
    beforeAll(async () => {
      if ('skip' in found) return
      const server = await startPostgres(found.bin)
      stopServer = server.stop
      database = openServerDatabase({ url: server.url })
    })
    afterAll(async () => {
      await database?.close()
      await stopServer?.()
    })
    migratesItsData(() => database)
  },
)
