import { expect, it } from 'vitest'
import { statementOf } from './sql-orders.ts'

it('inserts a new row with its times as the database writes them', () => {
  const row = {
    id: 1001,
    status: 'NEW',
    sla_due_at: 1_764_000_000_000,
    created_at: '2026-11-25T10:00:00.123Z',
  }
  expect(statementOf({ table: 'oms.orders', isNew: true, row })).toEqual({
    sql: 'INSERT INTO oms.orders (id, status, sla_due_at, created_at) VALUES (?, ?, ?, ?)',
    values: [1001, 'NEW', '2025-11-24 16:00:00.000', '2026-11-25 10:00:00.123'],
  })
})

it('updates a row by its id, and keeps a null a null', () => {
  const row = { id: 7, status: 'DELIVERED', delivered_at: null }
  expect(statementOf({ table: 'oms.orders', isNew: false, row })).toEqual({
    sql: 'UPDATE oms.orders SET status = ?, delivered_at = ? WHERE id = ?',
    values: ['DELIVERED', null, 7],
  })
})
