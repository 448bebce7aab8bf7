/**
 * Order changes as Debezium's MariaDB connector writes them, made ahead of the measurement. Each order is confirmed,
 * gets a rider, goes out and is delivered: four records, three events.
 */
import type { CapturedRecord } from '../../connectors/ingest/captured-record.ts'

export const recordsPerOrder = 4
export const eventsPerOrder = 3

interface Columns {
  readonly [column: string]: unknown
}

/** Makes changes one after the other, each at its own position in the binlog. */
export interface OrderChanges {
  /** The four records of one order, all dated `atMs`. */
  order(id: number, partnerId: string, atMs: number): CapturedRecord[]
  /** The one record of an order that is inserted as confirmed: one event. */
  confirmed(id: number, partnerId: string, atMs: number): CapturedRecord
}

export function orderChanges(): OrderChanges {
  let transaction = 0

  const record = (
    table: 'orders' | 'assignments',
    before: Columns | null,
    after: Columns,
    atMs: number,
  ): CapturedRecord => {
    const db = table === 'orders' ? 'oms' : 'dispatch'
    transaction++
    const gtid = `0-223344-${transaction}`
    const message = {
      before,
      after,
      source: {
        version: '3.5.0.Final',
        connector: 'mariadb',
        name: db,
        ts_ms: Math.floor(atMs / 1000) * 1000,
        snapshot: 'false',
        db,
        sequence: null,
        ts_us: Math.floor(atMs / 1000) * 1_000_000,
        table,
        server_id: 223344,
        gtid,
        file: 'binlog.000001',
        pos: transaction * 400,
        row: 0,
        thread: null,
        query: null,
      },
      transaction: { id: gtid, total_order: 1, data_collection_order: 1 },
      op: before ? 'u' : 'c',
      ts_ms: atMs,
      ts_us: atMs * 1000,
    }
    return {
      topic: `cdc.${db}.${table}`,
      partition: null,
      timestamp: atMs,
      key: `{"id":${after.id}}`,
      value: JSON.stringify(message),
      headers: { '__debezium.context.connectorName': 'mariadb', '__debezium.context.taskId': '0' },
    }
  }

  const orderRow = (id: number, partnerId: string, atMs: number): Columns => ({
    id,
    order_number: `ORD-2026-${id}`,
    partner_id: partnerId,
    customer_id: `C-${id % 9000}`,
    customer_name: 'Asha Verma',
    customer_phone: `+9198${String(id % 100_000_000).padStart(8, '0')}`,
    city: 'Pune',
    status: 'CONFIRMED',
    status_version: 1,
    attempt_no: 0,
    sla_due_at: atMs + 24 * 3600 * 1000,
    address: '14 MG Road, Pune 411001',
    address_confirmed: 1,
    cod_amount: '1299.50',
    failure_reason_code: null,
    rescheduled_for: null,
    return_reason_code: null,
    return_condition: null,
    return_pickup_eta: null,
    created_at: new Date(atMs).toISOString(),
    updated_at: new Date(atMs).toISOString(),
    delivered_at: null,
  })

  const assignmentRow = (orderId: number, atMs: number): Columns => ({
    id: 10_000_000 + orderId,
    order_id: orderId,
    attempt_no: 1,
    rider_id: `R-${orderId % 120}`,
    rider_name: 'Ravi Kumar',
    rider_phone: '+919811122233',
    otp: String(100_000 + (orderId % 900_000)),
    eta_start: atMs + 3600 * 1000,
    eta_end: atMs + 3 * 3600 * 1000,
    assigned_at: new Date(atMs).toISOString(),
    updated_at: new Date(atMs).toISOString(),
  })

  return {
    order(id, partnerId, atMs) {
      const confirmed = orderRow(id, partnerId, atMs)
      const out = { ...confirmed, status: 'OUT_FOR_DELIVERY', status_version: 2, attempt_no: 1 }
      const delivered = {
        ...out,
        status: 'DELIVERED',
        status_version: 3,
        delivered_at: new Date(atMs).toISOString(),
      }
      return [
        record('orders', null, confirmed, atMs),
        record('assignments', null, assignmentRow(id, atMs), atMs),
        record('orders', confirmed, out, atMs),
        record('orders', out, delivered, atMs),
      ]
    },
    confirmed: (id, partnerId, atMs) => record('orders', null, orderRow(id, partnerId, atMs), atMs),
  }
}
