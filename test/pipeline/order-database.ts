/**
 * A small order database with its dispatch table: each statement gives the records that Debezium's MariaDB connector
 * writes for it, in the shape of the fixtures. Columns that a test is not about get defaults.
 */
import type { CapturedLine } from './captured-line.ts'

/** A row, by column. */
export type Row = Readonly<Record<string, unknown>>

export interface OrderDatabase {
  /** Inserts an order, NEW unless told otherwise. */
  insert(id: number, columns?: Row): CapturedLine
  /** Changes an order; a new status also raises `status_version`. */
  update(id: number, columns: Row): CapturedLine
  /** The delete and its tombstone. */
  remove(id: number): CapturedLine[]
  /** REPLACE INTO: delete, tombstone and insert in one transaction, without the header of a key change. */
  replace(id: number, columns: Row): CapturedLine[]
  /** A new primary key: delete and insert at one position, each naming the other's key. */
  rekey(from: number, to: number): CapturedLine[]
  truncate(): CapturedLine
  /** What a snapshot shows of an order; `columns` are what changed while nobody captured. */
  snapshot(id: number, columns?: Row): CapturedLine
  /** Assigns a rider to an attempt (1 unless told otherwise), or changes the assignment. */
  assign(orderId: number, columns?: Row): CapturedLine
  unassign(orderId: number, attemptNo?: number): CapturedLine[]
}

export const orderTopic = 'cdc.oms.orders'
export const assignmentTopic = 'cdc.dispatch.assignments'

/** Whose orders they are unless told otherwise. */
export const partnerId = 'acme-retail'

/** Makes an empty database; `now` dates its changes. */
export function orderDatabase(now: () => number): OrderDatabase {
  const orders = new Map<number, Row>()
  const assignments = new Map<string, Row>()
  let transaction = 1

  const instant = () => new Date(now()).toISOString()

  /** One position in the binlog; rows written in one transaction share the gtid. */
  const nextTransaction = () => ({ gtid: `0-223344-${++transaction}`, pos: transaction * 1000 })

  const line = (parts: {
    topic: string
    id: number | null
    op: string
    before: Row | null
    after: Row | null
    at: { gtid: string | null; pos: number }
    snapshot?: string
    headers?: Readonly<Record<string, string>>
  }): CapturedLine => {
    const { gtid, pos } = parts.at
    const isOrder = parts.topic === orderTopic
    const message = {
      before: parts.before,
      after: parts.after,
      source: {
        version: '3.5.0.Final',
        connector: 'mariadb',
        name: isOrder ? 'oms' : 'dispatch',
        // Whole seconds, as in every binlog.
        ts_ms: Math.floor(now() / 1000) * 1000,
        snapshot: parts.snapshot ?? 'false',
        db: isOrder ? 'oms' : 'dispatch',
        table: isOrder ? 'orders' : 'assignments',
        server_id: gtid === null ? 0 : 223344,
        gtid,
        file: 'binlog.000001',
        pos,
        row: 0,
        thread: null,
        query: null,
      },
      transaction: gtid === null ? null : { id: gtid, total_order: 1, data_collection_order: 1 },
      op: parts.op,
      ts_ms: now(),
    }
    return {
      topic: parts.topic,
      key: parts.id === null ? null : JSON.stringify({ id: parts.id }),
      value: JSON.stringify(message),
      timestamp: now(),
      ...(parts.headers && { headers: parts.headers }),
    }
  }

  const tombstone = (topic: string, id: number): CapturedLine => ({
    topic,
    key: JSON.stringify({ id }),
    value: null,
    timestamp: now(),
  })

  const rowOf = (id: number): Row => {
    const row = orders.get(id)
    if (!row) throw new Error(`there is no order ${id} in this database`)
    return row
  }

  const changed = (row: Row, columns: Row): Row => ({
    ...row,
    ...('status' in columns && { status_version: Number(row.status_version) + 1 }),
    updated_at: instant(),
    ...columns,
  })

  const newRow = (id: number, columns: Row): Row => ({
    id,
    order_number: `ORD-${id}`,
    partner_id: partnerId,
    customer_id: `C-${id}`,
    customer_name: 'Asha Verma',
    customer_phone: '+919876543210',
    city: 'Pune',
    status: 'NEW',
    status_version: 0,
    attempt_no: 0,
    sla_due_at: now() + 24 * 3600 * 1000,
    address: '14 MG Road, Pune 411001',
    address_confirmed: 1,
    cod_amount: null,
    failure_reason_code: null,
    rescheduled_for: null,
    return_reason_code: null,
    return_condition: null,
    return_pickup_eta: null,
    created_at: instant(),
    updated_at: instant(),
    delivered_at: null,
    ...columns,
  })

  const insertAt = (
    id: number,
    columns: Row,
    at: { gtid: string; pos: number },
    headers?: CapturedLine['headers'],
  ) => {
    const after = newRow(id, columns)
    orders.set(id, after)
    return line({ topic: orderTopic, id, op: 'c', before: null, after, at, ...(headers && { headers }) })
  }

  const removeAt = (id: number, at: { gtid: string; pos: number }, headers?: CapturedLine['headers']) => {
    const before = rowOf(id)
    orders.delete(id)
    const removal = line({
      topic: orderTopic,
      id,
      op: 'd',
      before,
      after: null,
      at,
      ...(headers && { headers }),
    })
    return [removal, { ...tombstone(orderTopic, id), ...(headers && { headers }) }]
  }

  return {
    insert: (id, columns = {}) => insertAt(id, columns, nextTransaction()),
    update(id, columns) {
      const before = rowOf(id)
      const after = changed(before, columns)
      orders.set(id, after)
      return line({ topic: orderTopic, id, op: 'u', before, after, at: nextTransaction() })
    },
    remove: (id) => removeAt(id, nextTransaction()),
    replace(id, columns) {
      const at = nextTransaction()
      const after = changed(rowOf(id), columns)
      return [...removeAt(id, at), insertAt(id, after, { ...at, pos: at.pos + 1 })]
    },
    rekey(from, to) {
      const at = nextTransaction()
      const row = { ...rowOf(from), id: to, updated_at: instant() }
      return [
        ...removeAt(from, at, { '__debezium.newkey': JSON.stringify({ id: to }) }),
        insertAt(to, row, at, { '__debezium.oldkey': JSON.stringify({ id: from }) }),
      ]
    },
    truncate() {
      orders.clear()
      return line({ topic: orderTopic, id: null, op: 't', before: null, after: null, at: nextTransaction() })
    },
    snapshot(id, columns = {}) {
      const after = orders.has(id) ? changed(rowOf(id), columns) : newRow(id, columns)
      orders.set(id, after)
      const at = { gtid: null, pos: transaction * 1000 }
      return line({ topic: orderTopic, id, op: 'r', before: null, after, at, snapshot: 'true' })
    },
    assign(orderId, columns = {}) {
      const attempt = Number(columns.attempt_no ?? 1)
      const name = `${orderId}/${attempt}`
      const before = assignments.get(name) ?? null
      const after: Row = {
        id: orderId * 10 + attempt,
        order_id: orderId,
        attempt_no: attempt,
        rider_id: 'R-21',
        rider_name: 'Ravi Kumar',
        rider_phone: '+919811122233',
        otp: '894819',
        eta_start: now() + 3600 * 1000,
        eta_end: now() + 3 * 3600 * 1000,
        assigned_at: instant(),
        ...before,
        updated_at: instant(),
        ...columns,
      }
      assignments.set(name, after)
      const op = before ? 'u' : 'c'
      return line({ topic: assignmentTopic, id: Number(after.id), op, before, after, at: nextTransaction() })
    },
    unassign(orderId, attemptNo = 1) {
      const name = `${orderId}/${attemptNo}`
      const before = assignments.get(name)
      if (!before) throw new Error(`attempt ${attemptNo} of order ${orderId} has no rider in this database`)
      assignments.delete(name)
      const id = Number(before.id)
      const at = nextTransaction()
      return [
        line({ topic: assignmentTopic, id, op: 'd', before, after: null, at }),
        tombstone(assignmentTopic, id),
      ]
    },
  }
}

/** The line with columns of its row `after` changed, or taken away where undefined: what a database does not write. */
export function tamper(captured: CapturedLine, columns: Row): CapturedLine {
  const message = JSON.parse(captured.value ?? 'null')
  return { ...captured, value: JSON.stringify({ ...message, after: { ...message.after, ...columns } }) }
}
