/**
 * Five synchronous stateless nodes on the in-memory log, append and fetch included, a commit every 100 ms: once with
 * 200-byte keys and values as bytes, once with order events decoded from and encoded to Avro.
 * Run after a build: `node dist/bench/stateless.js [records] [runs]`.
 */
import { cpus } from 'node:os'
import { performance } from 'node:perf_hooks'
import {
  createApplication,
  createMemoryLog,
  defineTopic,
  memoryDisks,
  type NewRecord,
  rawBytes,
  systemClock,
  type Topic,
  type Topology,
  topologyBuilder,
  utf8,
} from '../engine/index.ts'
import { buildPayload, makeCodecs, type OrderEvent, openFolderRegistry } from '../schemas/index.ts'
import { serde } from '../topology/topics.ts'

const records = Number(process.argv[2] ?? 2_000_000)
const runs = Number(process.argv[3] ?? 5)
const partitions = 4
const batchRecords = 1000
const batchCount = 100

/** A topology of five nodes and the input made for it once, outside the measurement. */
interface Case {
  readonly name: string
  readonly topology: Topology
  readonly batches: readonly NewRecord[][]
}

function fiveNodes<K, V>(input: Topic<K, V>, output: Topic<K, V>, change: (value: V) => V): Topology {
  const builder = topologyBuilder('stateless')
  builder
    .stream(input)
    .filter(({ value }) => value !== null)
    .mapValues(change)
    .filter(({ key }) => key !== null)
    .mapValues((value) => value)
    .map(({ key, value }) => ({ key, value }))
    .to(output)
  return builder.build()
}

function bytesCase(): Case {
  const input = defineTopic({ name: 'input', key: rawBytes, value: rawBytes })
  const output = defineTopic({ name: 'output', key: rawBytes, value: rawBytes })
  const slab = Buffer.alloc(400 * batchRecords * batchCount, 7)
  const record = (index: number): NewRecord => {
    const at = index * 400
    slab.writeUInt32BE(index, at)
    return {
      key: slab.subarray(at, at + 200),
      value: slab.subarray(at + 200, at + 400),
      headers: [],
      timestamp: 1_700_000_000_000 + index,
    }
  }
  return {
    name: 'bytes, 200 + 200 bytes',
    topology: fiveNodes(input, output, (value) => value),
    batches: batchesOf(record),
  }
}

function avroCase(): Case {
  const value = serde(makeCodecs(openFolderRegistry()).orderEvent)
  const input = defineTopic({ name: 'input', key: utf8, value })
  const output = defineTopic({ name: 'output', key: utf8, value })
  const sample = value.serialize(orderEvent('1101'))
  const record = (index: number): NewRecord => ({
    key: Buffer.from(String(index)),
    value: value.serialize(orderEvent(String(index))),
    headers: [],
    timestamp: 1_700_000_000_000 + index,
  })
  return {
    name: `Avro order events of about ${sample?.length} bytes, decoded and encoded`,
    topology: fiveNodes(input, output, (event) => ({
      ...event,
      payload: { ...event.payload, order_sequence: 2 },
    })),
    batches: batchesOf(record),
  }
}

function orderEvent(orderId: string): OrderEvent {
  const payload = buildPayload({
    event: 'delivered',
    event_id: 'bd61ff8e-7a84-5714-ab94-8498ce129e88',
    occurred_at: 1_795_322_369_851,
    partner_id: 'acme-retail',
    order_id: orderId,
    customer_id: 'C-1101',
    sla_due_at: 1_795_545_000_000,
    rider_name: null,
    rider_phone_masked: null,
    otp: null,
    eta_start: null,
    eta_end: null,
    delivered_at: 1_795_322_369_000,
    address_confirmed: true,
    attempt_no: 1,
    failure_reason_code: null,
    rescheduled_for: null,
    return_reason_code: null,
    return_condition: null,
    return_pickup_eta: null,
    order_sequence: 1,
    previous_status: 'OUT_FOR_DELIVERY',
    order_ref: 'ORD-2026-1101',
    enrichment_status: 'NOT_APPLICABLE',
  })
  return {
    payload,
    internal: {
      customer_name: null,
      customer_phone: null,
      city: 'Pune',
      phone_last_digits: '210',
      source_commit_at: 1_795_322_369_000,
      by_hand: false,
    },
  }
}

const batchesOf = (record: (index: number) => NewRecord): NewRecord[][] =>
  Array.from({ length: batchCount }, (_, batch) =>
    Array.from({ length: batchRecords }, (_, index) => record(batch * batchRecords + index)),
  )

/** Records per second, from the first append to the last commit. */
async function run({ topology, batches }: Case): Promise<number> {
  const log = createMemoryLog({ clock: systemClock })
  const application = createApplication({
    topology,
    log,
    disk: await memoryDisks().open('a'),
    instanceId: 'a',
    defaultPartitions: partitions,
    commit: { intervalMs: 100, floorMs: 100 },
  })
  await application.start()
  const writer = log.writer({ transactionalId: 'bench' })
  const started = performance.now()
  for (let sent = 0; sent < records; ) {
    for (let partition = 0; partition < partitions && sent < records; partition++) {
      const batch = batches[(sent / batchRecords) % batches.length] ?? []
      await writer.append([{ topic: 'input', partition, records: batch }])
      sent += batchRecords
    }
    await new Promise((resolve) => setImmediate(resolve))
  }
  await application.settled()
  const elapsed = performance.now() - started
  const tps = Array.from({ length: partitions }, (_, partition) => ({ topic: 'output', partition }))
  const ends = await log.admin.endOffsets(tps, 'read_committed')
  const written = [...ends.values()].reduce((sum, end) => sum + end, 0)
  if (written < records) throw new Error(`only ${written} of ${records} records came out`)
  await application.stop()
  await log.close()
  return (records / elapsed) * 1000
}

const thousands = (value: number | undefined) => `${Math.round((value ?? 0) / 1000)} k/s`

process.stdout.write(`${cpus()[0]?.model} × ${cpus().length}, Node ${process.versions.node}\n`)
for (const each of [bytesCase(), avroCase()]) {
  const rates: number[] = []
  await run(each)
  for (let index = 0; index < runs; index++) rates.push(await run(each))
  rates.sort((a, b) => a - b)
  process.stdout.write(
    `${each.name}, ${records} records, ${runs} runs: min ${thousands(rates[0])}, median ${thousands(rates[Math.floor(runs / 2)])}, max ${thousands(rates.at(-1))}\n`,
  )
}
