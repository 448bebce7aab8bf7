import { describe, expect, it } from 'vitest'
import { envelope, mariadbSource, normalized, orderOf } from './testing/captured-message.ts'

describe('a position', () => {
  const positionWith = (source: object) => orderOf(normalized({ value: envelope({ source }) })).position

  it('orders PostgreSQL by LSN, and takes the transaction without the LSN that Debezium adds', () => {
    const source = {
      connector: 'postgresql',
      name: 'pg',
      ts_ms: 5,
      snapshot: 'false',
      lsn: 26703264,
      txId: 765,
    }
    expect(positionWith(source)).toMatchObject({
      source: 'postgresql:pg',
      lineage: 'lsn',
      sequence: 26703264,
      identity: '26703264|765|u|1101',
      transaction_id: '765',
    })
  })

  it('orders MySQL by the GTID of one server, and without GTID by file and offset', () => {
    const uuid = '3e11fa47-71ca-11e1-9e33-c80aa9429562'
    const mysql = mariadbSource({ connector: 'mysql', gtid: `${uuid}:77` })
    expect(positionWith(mysql)).toMatchObject({ lineage: `gtid:${uuid}`, sequence: 77 })
    const bare = mariadbSource({ connector: 'mysql', gtid: null, file: 'mysql-bin.000123' })
    expect(positionWith(bare)).toMatchObject({
      lineage: 'server:223344:mysql-bin',
      sequence: 123,
      identity: '223344|mysql-bin.000123|15150|0|u|1101',
    })
  })

  it('has no lineage where the source says nothing usable', () => {
    expect(positionWith(mariadbSource({ gtid: null, file: null })).lineage).toBeNull()
  })

  it.each(['true', 'first', 'first_in_data_collection', 'last', 'last_in_data_collection', 'incremental'])(
    'has none in a row of a snapshot (%s), which shares it with other rows',
    (snapshot) => {
      const change = orderOf(
        normalized({ value: envelope({ op: 'r', before: null, source: mariadbSource({ snapshot }) }) }),
      )
      expect(change.op).toBe('SNAPSHOT')
      expect(change.position).toMatchObject({ lineage: null, sequence: null, transaction_id: null })
    },
  )
})
