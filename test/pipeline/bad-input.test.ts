/** Input that cannot be read: each is counted, kept sealed with its reason, and holds nothing else up. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Topic } from '../../engine/index.ts'
import { commandDefaults } from '../../schemas/index.ts'
import type { CapturedLine } from './captured-line.ts'
import { partnerId, tamper } from './order-database.ts'
import { type PipelineDriver, partnerOf, pipelineDriver } from './pipeline-driver.ts'

let pipe: PipelineDriver
beforeEach(async () => {
  pipe = await pipelineDriver()
  await pipe.configure(partnerOf(partnerId, pipe.seal))
})
afterEach(() => pipe.close())

/** Appends bytes as they are to a topic of ours. */
async function append(
  topic: Pick<Topic<unknown, unknown>, 'name'>,
  key: string | null,
  value: Uint8Array | null,
) {
  const writer = pipe.driver.log.writer({ transactionalId: 'bad-input' })
  const record = {
    key: key === null ? null : Buffer.from(key),
    value,
    headers: [],
    timestamp: pipe.driver.clock.now(),
  }
  await writer.append([{ topic: topic.name, partition: 0, records: [record] }])
  await pipe.driver.settle()
}

/** A good order after the bad record, in every partition, comes through. */
async function expectTheRestFlows() {
  const before = pipe.requests.length
  const ids = Array.from({ length: 12 }, (_, index) => 9000 + index)
  await pipe.capture(ids.map((id) => pipe.database.insert(id, { status: 'CONFIRMED' })))
  expect(pipe.requests.length - before).toBe(ids.length)
}

async function expectRefused(topic: string, reason: string) {
  const refused = await pipe.undecodable()
  expect(refused).toMatchObject([{ topic, reason }])
  expect(pipe.counted(`records.dead_lettered{topic="${topic}",reason="${reason}"}`)).toBe(1)
  await expectTheRestFlows()
  return refused[0]
}

const orders = 'cdc.oms.orders'

const captured = (value: string | null, key: string | null = '{"id":1101}'): CapturedLine => ({
  topic: orders,
  key,
  value,
  timestamp: pipe.driver.clock.now(),
})

describe('a captured record that cannot be read', () => {
  it.each([
    ['no JSON', '{"before": nul', 'not_json'],
    ['empty text', '', 'not_json'],
    ['a bare word', 'hello', 'not_json'],
    ['JSON that is no envelope', '{"id":1101,"status":"DELIVERED"}', 'not_an_envelope'],
    ['a list', '[1,2,3]', 'not_an_envelope'],
    ['an unknown operation', '{"op":"x","source":{"connector":"mariadb"},"after":{}}', 'unknown_op'],
    ['an unmapped connector', '{"op":"c","source":{"connector":"oracle"},"after":{}}', 'unmapped_source'],
  ])('because it is %s', async (_, value, reason) => {
    await pipe.capture(captured(value))
    await expectRefused(orders, reason)
  })

  it('because it is Avro of a schema that nobody knows', async () => {
    await append(pipe.topics.cdcOrders, '{"id":1101}', Buffer.from([0, 0x7f, 0, 0, 9, 2, 4]))
    await expectRefused(orders, 'unknown_schema')
  })

  it('because its bytes are no text', async () => {
    await append(pipe.topics.cdcOrders, '{"id":1101}', Buffer.from([0x7b, 0xff, 0xfe, 0x7d]))
    await expectRefused(orders, 'not_utf8')
  })

  it('because it has no row after the change', async () => {
    const message = JSON.parse(pipe.database.insert(1101, { status: 'CONFIRMED' }).value ?? '')
    await pipe.capture(captured(JSON.stringify({ ...message, after: null })))
    await expectRefused(orders, 'no_after')
  })

  it.each([
    ['a number where a status belongs', { status: 7 }, 'wrong_type'],
    ['text where a number belongs', { status_version: 'two' }, 'wrong_type'],
    ['a list where a flag belongs', { address_confirmed: [] }, 'wrong_type'],
    ['no partner', { partner_id: null }, 'no_partner'],
    ['a status that nobody mapped', { status: 'ON_HOLD' }, 'unknown_status'],
    ['no status', { status: null }, 'unknown_status'],
    ['no id', { id: null }, 'no_order_id'],
    ['a mapped column gone', { status_version: undefined }, 'missing_column'],
    ['a time column gone', { updated_at: undefined }, 'missing_column'],
  ])('because its row has %s', async (_, columns, reason) => {
    await pipe.capture(tamper(pipe.database.insert(1101, { status: 'CONFIRMED' }), columns))
    await expectRefused(orders, reason)
    expect(pipe.sent()).not.toContain('1101 order_confirmed')
  })

  it('is kept sealed and whole, with a preview that shows nothing of it', async () => {
    const text = '{"customer_name":"Asha Verma","otp":"894819",'
    await pipe.capture(captured(text))
    const refused = await expectRefused(orders, 'not_json')
    expect(refused?.value_length).toBe(text.length)
    expect(Buffer.from(pipe.sealer.openBytes(refused?.value ?? new Uint8Array())).toString()).toBe(text)
    expect(`${refused?.preview} ${refused?.detail}`).not.toMatch(/Asha|Verma|894819/)
  })

  it('is kept in part when it is 5 MB, with the length and hash of the whole', async () => {
    await pipe.capture(captured(`{"otp":"894819","padding":"${'x'.repeat(5_000_000)}`))
    const refused = await expectRefused(orders, 'not_json')
    expect(refused?.value_length).toBeGreaterThan(5_000_000)
    expect(refused?.value_sha256).toMatch(/^[0-9a-f]{64}$/)
    expect(refused?.value?.length).toBeLessThan(1_000_000)
  })
})

describe('a captured record that is odd and yet readable', () => {
  it('of 5 MB flows, when what is large is a column that nobody mapped', async () => {
    await pipe.capture(pipe.database.insert(1101, { status: 'CONFIRMED', address: 'x'.repeat(5_000_000) }))
    expect(pipe.sent()).toEqual(['1101 order_confirmed'])
  })

  it('of 5 MB is refused, when what is large is a column of ours', async () => {
    await pipe.capture(pipe.database.insert(1101, { status: 'CONFIRMED', city: 'x'.repeat(5_000_000) }))
    await expectRefused(orders, 'output_too_large')
  })

  it('with a key and no value is a tombstone', async () => {
    await pipe.capture(captured(null))
    expect(pipe.counted('normalize_ignored{why="tombstone"}')).toBe(1)
    expect(await pipe.undecodable()).toEqual([])
    await expectTheRestFlows()
  })

  it('without a key takes the order from its row', async () => {
    await pipe.capture({ ...pipe.database.insert(1101, { status: 'CONFIRMED' }), key: null })
    expect(pipe.sent()).toEqual(['1101 order_confirmed'])
  })

  it('with a key that is no JSON takes the order from its row', async () => {
    await pipe.capture({ ...pipe.database.insert(1101, { status: 'CONFIRMED' }), key: 'hm' })
    expect(pipe.sent()).toEqual(['1101 order_confirmed'])
  })

  it('with a date that is none has a null there, counted', async () => {
    const insert = pipe.database.insert(1101, { status: 'DELIVERED' })
    await pipe.capture(tamper(insert, { delivered_at: 'soon', sla_due_at: 0 }))
    expect(pipe.requests.map(({ payload }) => payload)).toMatchObject([
      { event: 'delivered', sla_due_at: null, delivery: { delivered_at: null } },
    ])
    expect(pipe.counted('normalize_bad_times')).toBe(2)
  })

  it.each([
    ['1234', 'xxxx'],
    ['n/a', 'xxx'],
    ['', null],
  ])('with the phone %j of a rider is masked to %j and never refused', async (phone, masked) => {
    await pipe.capture(pipe.database.assign(1101, { rider_phone: phone }))
    await pipe.capture(pipe.database.insert(1101, { status: 'PACKED' }))
    await pipe.capture(pipe.database.update(1101, { status: 'OUT_FOR_DELIVERY', attempt_no: 1 }))
    expect(pipe.requests.map(({ payload }) => payload.rider)).toEqual([
      { name: 'Ravi Kumar', phone_masked: masked },
    ])
    expect(await pipe.undecodable()).toEqual([])
  })

  it('with more columns than the mapping knows loses nothing', async () => {
    const insert = pipe.database.insert(1101, { status: 'CONFIRMED' })
    await pipe.capture(tamper(insert, { gift_note: 'for you', loyalty: { tier: 3 } }))
    expect(pipe.sent()).toEqual(['1101 order_confirmed'])
  })
})

describe('a record of ours that cannot be read', () => {
  const topics = () => [
    pipe.topics.orderChanges,
    pipe.topics.assignmentChanges,
    pipe.topics.orderEvents,
    pipe.topics.deliveries,
    pipe.topics.deliveryCommands,
  ]

  it('because nobody knows its schema is put aside, in every topic', async () => {
    for (const topic of topics()) await append(topic, 'k', Buffer.from([0, 0x7f, 0xff, 0xff, 0xff, 1, 2, 3]))
    const refused = await pipe.undecodable()
    expect(refused.map(({ topic }) => topic).sort()).toEqual(
      topics()
        .map(({ name }) => name)
        .sort(),
    )
    expect(new Set(refused.map(({ reason }) => reason))).toEqual(new Set(['unknown_schema']))
    await expectTheRestFlows()
  })

  it('because it is cut short is put aside, in every topic', async () => {
    await pipe.capture(pipe.database.assign(9001), pipe.database.insert(9001, { status: 'CONFIRMED' }))
    await pipe.command('ENABLE', { endpointId: `${partnerId}-1` })
    for (const topic of topics()) {
      const [whole] = await pipe.driver.readRaw(topic.name)
      const value = whole?.value ?? new Uint8Array()
      await append(topic, 'k', value.subarray(0, value.length - 3))
    }
    const refused = await pipe.undecodable()
    expect(refused.map(({ topic }) => topic).sort()).toEqual(
      topics()
        .map(({ name }) => name)
        .sort(),
    )
    for (const { reason } of refused) expect(reason).toBe('truncated')
  })

  it('because it has no value is put aside', async () => {
    for (const topic of topics()) await append(topic, 'k', null)
    expect(await pipe.undecodable()).toHaveLength(topics().length)
    await expectTheRestFlows()
  })

  it('because it is about another endpoint than its key is put aside', async () => {
    await pipe.driver.pipe(pipe.topics.deliveryCommands, {
      key: 'somebody-else',
      value: {
        ...commandDefaults,
        command_id: 'c1',
        kind: 'ENABLE',
        endpoint_id: `${partnerId}-1`,
        requested_at: 0,
        requested_by: 'test',
      },
    })
    await expectRefused('delivery.commands', 'key_mismatch')
  })

  it('as a ticket that came back of a tier is put aside, and the tickets behind it are released', async () => {
    pipe.respond = () => ({ class: 'http_5xx', statusCode: 500 })
    for (let partition = 0; partition < 4; partition++) {
      const writer = pipe.driver.log.writer({ transactionalId: 'bad-ticket' })
      const record = { key: null, value: Buffer.from('hm'), headers: [], timestamp: 0 }
      await writer.append([{ topic: pipe.topics.retry30s.name, partition, records: [record] }])
    }
    await pipe.capture(pipe.database.insert(1101, { status: 'CONFIRMED' }))
    await pipe.pass(30_000)
    expect(pipe.requests).toHaveLength(2)
    expect(await pipe.undecodable()).toHaveLength(4)
  })

  it('in the table of partners is put aside, and the partner keeps its settings', async () => {
    await append(pipe.topics.partnerConfig, partnerId, Buffer.from([0, 0x7f, 0xff, 0xff, 0xff, 1]))
    await expectTheRestFlows()
  })
})
