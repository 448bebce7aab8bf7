/** A user's own data on the embedded product: over HTTP as Debezium Server sends it, and from a watched folder. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { readSourceFile } from '../../app/config/source.ts'
import { openLagGate } from '../../app/ingest/open-ingest.ts'
import type { CapturedLine } from '../golden-events/captured-run.ts'
import { consignmentId, consignmentStory, type Flavour } from '../second-schema/consignments.ts'
import { type OwnData, ownData } from './own-data.ts'

const flavours: readonly Flavour[] = ['mysql', 'postgresql']
const mapping = readSourceFile(
  fileURLToPath(new URL('../fixtures/second-schema/source.yaml', import.meta.url)),
)
const startMs = Date.parse('2026-10-24T20:00:00.000Z')

let product: OwnData | undefined
let folder: string | undefined
afterEach(async () => {
  await product?.close()
  if (folder) rmSync(folder, { recursive: true })
  product = undefined
  folder = undefined
})

async function open(watched?: string): Promise<OwnData> {
  product = await ownData({
    mapping,
    partners: ['nordwind'],
    startMs,
    ...(watched !== undefined && { folder: watched }),
  })
  return product
}

/** Moves time to the line's, firing holds on the way. */
async function passTo(timestamp: number, { clock, pipeline, settled }: OwnData): Promise<void> {
  const due = () => pipeline.application.nextDue() ?? Number.POSITIVE_INFINITY
  for (let at = due(); at < timestamp; at = due()) {
    clock.advanceTo(Math.max(at, clock.now()))
    await settled()
  }
  clock.advanceTo(Math.max(timestamp, clock.now()))
}

/** What the story means, in words. */
const expected = [
  ...['1 order_confirmed', '1 out_for_delivery', '1 delivery_failed', '1 out_for_delivery', '1 delivered'],
  ...['2 delivered', '3 order_confirmed', '3 order_confirmed', '4 order_confirmed', '4 order_confirmed'],
  ...['5 out_for_delivery', '1 return_initiated', '1 return_picked_up'],
].map((words) => words.replace(/^\d/, (number) => consignmentId(Number(number))))

describe.each(flavours)('changes of a %s database over HTTP', (flavour) => {
  /** The body is the change alone: Debezium Server sends neither key, topic nor tombstones. */
  const send = async (lines: readonly CapturedLine[], to: OwnData) => {
    const answers = []
    for (const { value, timestamp } of lines) {
      if (value === null) continue
      await passTo(timestamp, to)
      answers.push(await to.post(value))
      await to.settled()
    }
    await passTo(to.clock.now() + 60_000, to)
    return answers
  }

  it('become the webhooks that they mean', async () => {
    const to = await open()
    const answers = await send(consignmentStory(flavour), to)
    expect(answers.every(({ status }) => status === 200)).toBe(true)
    expect(to.sent).toEqual(expected)
    expect(to.pipeline.application.counters.snapshot().get('records.dead_lettered')).toBeUndefined()
  })

  it('sent again by a server that was killed change nothing', async () => {
    const to = await open()
    const story = consignmentStory(flavour)
    await send(story, to)
    const again = await send(story, to)
    const bodies = again.map(({ body }) => body)
    // Only the snapshot row has no place in the log by which it could be known.
    expect(bodies.filter((body) => 'accepted' in body && body.accepted === 1)).toHaveLength(1)
    expect(to.sent).toEqual(expected)
  })

  it('sent again to a product that was restarted meanwhile change nothing either', async () => {
    const to = await open()
    const story = consignmentStory(flavour)
    await send(story, to)
    // Around the memory of the handler, as after its restart.
    await to.pipeline.ingest.append(story.map((line) => ({ ...line, partition: null, key: null })))
    await to.settled()
    await passTo(to.clock.now() + 60_000, to)
    expect(to.sent).toEqual(expected)
  })
})

describe('a database whose riders nobody mapped', () => {
  it('holds no order for one: out_for_delivery leaves at once', async () => {
    product = await ownData({
      mapping: { ...mapping, blocks: mapping.blocks.filter(({ role }) => role === 'orders') },
      partners: ['nordwind'],
      startMs,
    })
    for (const { value, timestamp } of consignmentStory('mysql')) {
      if (value === null) continue
      product.clock.advanceTo(Math.max(timestamp, product.clock.now()))
      await product.post(value)
      await product.settled()
    }
    expect(product.sent).toEqual(expected)
  })
})

describe('a watched folder', () => {
  it('gives the same webhooks, in the order of the files, and is empty afterwards', async () => {
    folder = mkdtempSync(join(tmpdir(), 'waybill-own-data-'))
    const to = await open(folder)
    const lines = consignmentStory('mysql')
    const half = Math.floor(lines.length / 2)
    const text = (part: readonly CapturedLine[]) => part.map((line) => `${JSON.stringify(line)}\n`).join('')
    // The second half as bare changes, as a program might write them out.
    writeFileSync(join(folder, '1.jsonl'), text(lines.slice(0, half)))
    const bare = lines.slice(half).flatMap(({ value }) => (value === null ? [] : [`${value}\n`]))
    writeFileSync(join(folder, '2.jsonl'), bare.join(''))
    to.clock.advanceTo(startMs + 14 * 3600_000)
    await to.look()
    await to.settled()
    await passTo(to.clock.now() + 60_000, to)
    // Taken late: what is too old to send by itself is not, and nobody waits for a driver who came long ago.
    expect(to.sent.filter((words) => !words.endsWith('out_for_delivery')).sort()).toEqual(
      expected.filter((words) => !words.endsWith('out_for_delivery')).sort(),
    )
    // Nothing is left to read: the gate before the captured topics sees no lag.
    const reports: string[] = []
    const gate = openLagGate({ ...to, report: (message) => reports.push(message) })
    for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve))
    expect([gate.lag(), reports]).toEqual([0, []])
    gate.stop()
    expect(readdirSync(folder)).toEqual(['done'])
    expect(readdirSync(join(folder, 'done'))).toEqual(['1.jsonl', '2.jsonl'])
  })
})
