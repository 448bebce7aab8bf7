/**
 * Captured changes that are full of secrets: the MariaDB recording, half a minute of the demo, and records that nobody
 * can take apart.
 */
import { demoShares } from '../../app/demo/demo-partners.ts'
import { simulatedOms } from '../../app/demo/simulated-oms.ts'
import type { CapturedRecord } from '../../connectors/ingest/captured-record.ts'
import { manualClock } from '../../engine/index.ts'
import { readCaptured } from '../golden-events/captured-run.ts'
import { recordedFiles } from '../golden-events/recordings.ts'

/** Records that nobody can read: their secrets must be as safe as those of the others. */
export const broken = { otp: '66180052', phone: '+919733300053', name: 'Quillon Ashbourne' }

/** The records that can be read, in the order of their time. */
export function secretRecords(): CapturedRecord[] {
  const captured = readCaptured(recordedFiles('mariadb'))
  return [...captured, ...demoStretch((captured.at(-1)?.timestamp ?? 0) + 60_000)]
}

function demoStretch(startMs: number): CapturedRecord[] {
  const clock = manualClock(startMs)
  const oms = simulatedOms({
    seed: 7,
    clock,
    ratePerSecond: 4,
    partners: demoShares,
    start: { orderId: 900_001, assignmentId: 950_001, binlog: { transaction: 100_000, file: 9, pos: 4 } },
  })
  const records: CapturedRecord[] = []
  for (let second = 0; second < 30; second++) {
    clock.advance(1000)
    records.push(...oms.take())
  }
  return records.map(withLongPasswords)
}

/** Six digits stand in other numbers by chance, eleven do not; four are looked for with their name alone. */
function withLongPasswords(record: CapturedRecord): CapturedRecord {
  if (typeof record.value !== 'string') return record
  return { ...record, value: record.value.replaceAll(/"otp":"(\d{6})"/g, '"otp":"90817$1"') }
}

/** Records that hold secrets and that nobody can take apart, or whose meaning nobody knows. */
export function brokenRecords(timestamp: number): CapturedRecord[] {
  const order = `"customer_name":"${broken.name}","customer_phone":"${broken.phone}"`
  const assignment = `"rider_phone":"${broken.phone}","otp":"${broken.otp}"`
  const orders = [
    `{"before":null,"after":{${order}`,
    `{${order},${assignment}}`,
    `{"op":"c","source":{"connector":"mariadb"},"after":{"id":1,${order}}}`,
    `{"op":"?","source":{"connector":"mariadb"},"after":{"id":1,${order}}}`,
  ]
  const assignments = [
    `[{${assignment}}]`,
    `{"op":"c","source":{"connector":"mariadb"},"before":{${assignment}},"after":null}`,
  ]
  const recordOf = (topic: string) => (value: string) => ({
    topic,
    partition: 0,
    timestamp,
    key: '{"id":1}',
    value,
    headers: {},
  })
  return [...orders.map(recordOf('cdc.oms.orders')), ...assignments.map(recordOf('cdc.dispatch.assignments'))]
}
