import { describe, expect, it } from 'vitest'
import { DeliveryLogError } from '../../ports/delivery-log.ts'
import { sqlFailure } from './sql-failure.ts'

const coded = (code: string, message = 'it failed') => Object.assign(new Error(message), { code })

describe('a failing database', () => {
  it.each([
    ['a broken connection', coded('08006'), 'unavailable'],
    ['no connection at all', coded('ECONNREFUSED'), 'unavailable'],
    [
      'several addresses that all refuse',
      Object.assign(new AggregateError([coded('x')]), { code: 'ECONNREFUSED' }),
      'unavailable',
    ],
    ['a deadlock', coded('40P01'), 'unavailable'],
    ['a shutdown', coded('57P01'), 'unavailable'],
    ['a statement that took too long', coded('57014'), 'unavailable'],
    ['too many connections', coded('53300'), 'unavailable'],
    ['a full disk', coded('53100', 'could not extend file: No space left on device'), 'unavailable'],
    ['a standby', coded('25006'), 'unavailable'],
    ['a wrong password', coded('28P01'), 'unusable'],
    ['a missing database', coded('3D000'), 'unusable'],
    ['a missing right', coded('42501'), 'unusable'],
    ['a read-only directory', coded('', 'Read-only file system'), 'unusable'],
  ])('%s is known for what it is', (_, error, reason) => {
    expect(sqlFailure(error, 'the database in /data')).toMatchObject({
      reason,
      cause: error,
      message: expect.stringContaining('the database in /data: '),
    })
  })

  it('says how to mend a full disk', () => {
    const error = sqlFailure(coded('53100', 'No space left on device'), 'db')
    expect(String(error)).toContain('make room on its disk')
  })

  it.each(['42601', '42P01', '23505', '22P02', ''])(
    '%s is a bug of ours, and thrown on as it came',
    (code) => {
      const error = coded(code)
      expect(sqlFailure(error, 'db')).toBe(error)
      expect(sqlFailure(error, 'db')).not.toBeInstanceOf(DeliveryLogError)
    },
  )
})
