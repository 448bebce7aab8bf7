/** Writes to the order and the dispatch database of the stack as their systems would: one statement a change. */
import mysql from 'mysql2/promise'
import type { SqlFacts } from './services.ts'

export interface OrderSql {
  /** A new order, in the state NEW. */
  insert(id: number, partner: string): Promise<void>
  /** The order goes on; several in a row are one transaction. */
  move(id: number, ...steps: readonly Step[]): Promise<void>
  query(sql: string): Promise<void>
  close(): Promise<void>
}

export type Step =
  | { readonly status: string; readonly attempt?: number }
  /** A rider for an attempt. */
  | { readonly rider: string; readonly otp: string; readonly attempt: number }

export async function openOrderSql({ host, port, writer }: SqlFacts): Promise<OrderSql> {
  const connection = await mysql.createConnection({ host, port, ...writer, timezone: 'Z' })
  const apply = (id: number, step: Step) => {
    if ('rider' in step) {
      return connection.execute(
        'INSERT INTO dispatch.assignments (order_id, attempt_no, rider_id, rider_name, rider_phone, otp) VALUES (?, ?, ?, ?, ?, ?)',
        [id, step.attempt, `R-${id}`, step.rider, '+919812345214', step.otp],
      )
    }
    return connection.execute(
      'UPDATE oms.orders SET status = ?, status_version = status_version + 1, attempt_no = COALESCE(?, attempt_no) WHERE id = ?',
      [step.status, step.attempt ?? null, id],
    )
  }
  return {
    async insert(id, partner) {
      await connection.execute(
        'INSERT INTO oms.orders (id, order_number, partner_id, customer_id, customer_name, customer_phone, city) VALUES (?, ?, ?, ?, ?, ?, ?)',
        [id, `H-${id}`, partner, 'C-1', 'Meera Nair', '+919812345678', 'Pune'],
      )
    },
    async move(id, ...steps) {
      await connection.beginTransaction()
      for (const step of steps) await apply(id, step)
      await connection.commit()
    },
    async query(sql) {
      await connection.query(sql)
    },
    close: () => connection.end(),
  }
}
