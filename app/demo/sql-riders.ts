/** Riders out of the dispatch table of a real database (deploy/stack/mariadb/oms.sql), for the reference dispatch server. */
import mysql from 'mysql2/promise'
import type { FindRider } from '../../connectors/dispatch/dispatch-server.ts'

export interface SqlRiders {
  /** Rejects when the database does not answer. */
  readonly find: FindRider
  close(): Promise<void>
}

interface AssignmentRow extends mysql.RowDataPacket {
  readonly id: number
  readonly rider_name: string | null
  readonly rider_phone: string | null
  readonly otp: string | null
  readonly eta_start: Date | null
  readonly eta_end: Date | null
  readonly updated_at: Date
}

const connectionsMax = 4

/** Rejects when the database cannot be reached, refuses the user, or has no such table. */
export async function openSqlRiders(url: string): Promise<SqlRiders> {
  const pool = mysql.createPool({
    uri: url,
    timezone: 'Z',
    charset: 'utf8mb4',
    connectionLimit: connectionsMax,
  })
  const ask = async (orderId: string, attemptNo: number | null): Promise<AssignmentRow | undefined> => {
    const [rows] = await pool.execute<AssignmentRow[]>(
      `SELECT id, rider_name, rider_phone, otp, eta_start, eta_end, updated_at
         FROM dispatch.assignments WHERE order_id = ? AND (? IS NULL OR attempt_no = ?)
        ORDER BY attempt_no DESC, updated_at DESC, id DESC LIMIT 1`,
      [orderId, attemptNo, attemptNo],
    )
    return rows[0]
  }
  try {
    await ask('0', null)
  } catch (error) {
    await pool.end()
    throw error
  }
  return {
    async find(orderId, attemptNo) {
      // The database would take "12abc" for 12.
      if (!/^\d+$/.test(orderId)) return undefined
      const row = await ask(orderId, attemptNo)
      return (
        row && {
          assignmentId: String(row.id),
          riderName: row.rider_name,
          riderPhone: row.rider_phone,
          otp: row.otp,
          etaStart: row.eta_start?.getTime() ?? null,
          etaEnd: row.eta_end?.getTime() ?? null,
          updatedAt: row.updated_at.getTime(),
        }
      )
    },
    close: () => pool.end(),
  }
}
