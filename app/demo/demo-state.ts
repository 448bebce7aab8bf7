/**
 * Where the demo's order system goes on after a restart: ids and the binlog position. Kept in `demo.json` in the
 * data directory, ahead of what is in use, so that not even kill -9 makes it use an id twice.
 */
import { join } from 'node:path'
import { CliError } from '../cli/cli-error.ts'
import { exitCode } from '../cli/exit-code.ts'
import { readPrivateFile, writePrivateFile } from '../config/private-file.ts'
import { firstPosition, type OmsPosition } from './simulated-oms.ts'

export interface DemoState {
  /** Where this run begins. */
  readonly start: OmsPosition
  /** Counts the runs; with the seed it makes each one different. */
  readonly run: number
  /** Call now and then: reserves more when half of what was reserved is used. */
  reached(position: OmsPosition): void
  /** At a clean stop: the next run continues without a gap. */
  close(position: OmsPosition): void
}

/** At 2,000 orders a second, half of it lasts half a minute. */
const ahead = { orders: 120_000, transactions: 2_400_000 }

/** Opens, or begins, the state kept in a data directory. */
export function openDemoState(dataDirectory: string): DemoState {
  const file = join(dataDirectory, 'demo.json')
  const saved = readState(file)
  const start = saved?.position ?? firstPosition
  const run = (saved?.run ?? 0) + 1
  const save = (position: OmsPosition) => {
    writePrivateFile(file, `${JSON.stringify({ run, position }, null, 2)}\n`)
  }
  let reserved = start
  const reserve = (position: OmsPosition) => {
    reserved = reservedFrom(position)
    save(reserved)
  }
  reserve(start)
  return {
    start,
    run,
    reached(position) {
      if (reserved.orderId - position.orderId < ahead.orders / 2) reserve(position)
    },
    close: save,
  }
}

/** An order makes at most three assignments and sixteen transactions, so these grow in step with the orders. */
const reservedFrom = ({ orderId, assignmentId, binlog }: OmsPosition): OmsPosition => ({
  orderId: orderId + ahead.orders,
  assignmentId: assignmentId + 3 * ahead.orders,
  binlog: { ...binlog, transaction: binlog.transaction + ahead.transactions, file: binlog.file + 1 },
})

function readState(file: string): { run: number; position: OmsPosition } | undefined {
  const text = readPrivateFile(file)
  if (text === undefined) return undefined
  try {
    const { run, position } = JSON.parse(text) as { run: unknown; position: OmsPosition }
    const numbers = [
      run,
      position.orderId,
      position.assignmentId,
      position.binlog.transaction,
      position.binlog.file,
      position.binlog.pos,
    ]
    if (typeof run === 'number' && numbers.every(Number.isSafeInteger)) return { run, position }
  } catch (cause) {
    throw damaged(file, cause)
  }
  throw damaged(file)
}

function damaged(file: string, cause?: unknown): CliError {
  const what = 'the state of the demo cannot be read'
  const mend = 'restore it, or start with another --data-dir'
  return new CliError(exitCode.usage, { what, place: { file }, mend }, { cause })
}
