import { describe, expect, it } from 'vitest'
import { BrokerError, checkCode, errorCode, isDenied, kafkaError } from './error-table.ts'

describe('the table of Kafka errors', () => {
  it('names every code of Kafka 4.4, those beyond 88 included', () => {
    for (let code = -1; code <= 136; code++) {
      if (code !== 0) expect(kafkaError(code).name, String(code)).toMatch(/^[A-Z][A-Z_]+$/)
    }
    expect(kafkaError(89).name).toBe('THROTTLING_QUOTA_EXCEEDED')
    expect(kafkaError(90)).toMatchObject({ name: 'PRODUCER_FENCED', kind: 'fenced' })
    expect(kafkaError(120)).toMatchObject({ name: 'TRANSACTION_ABORTABLE', kind: 'abortable' })
  })

  it('asks again only where that can help', () => {
    const kinds = (codes: number[]) => new Set(codes.map((code) => kafkaError(code).kind))
    expect(kinds([2, 3, 5, 6, 7, 14, 15, 16, 41, 51, 74, 75, 88])).toEqual(new Set(['retriable']))
    expect(kinds([22, 25, 47, 82, 90])).toEqual(new Set(['fenced']))
    expect(kinds([-1, 10, 12, 17, 29, 35, 36, 87])).toEqual(new Set(['rejected']))
  })

  it('does not ask again what it does not know', () => {
    expect(kafkaError(9999)).toMatchObject({ name: 'ERROR_9999', kind: 'rejected' })
  })

  it('tells what, which error, and the mend', () => {
    expect(() => checkCode(29, 'Fetch of topic orders')).toThrow(
      'Fetch of topic orders: TOPIC_AUTHORIZATION_FAILED (29): the principal may not do this with the topic: grant it the operation with an ACL',
    )
    expect(new BrokerError(10, 'x')).toMatchObject({
      kind: 'rejected',
      code: 10,
      codeName: 'MESSAGE_TOO_LARGE',
    })
    expect(isDenied(29)).toBe(true)
    expect(isDenied(6)).toBe(false)
  })

  it('branches on codes by the names of the protocol', () => {
    const said = (name: string) => name.toLowerCase().replaceAll('_', '')
    for (const [name, code] of Object.entries(errorCode)) {
      const short = said(name).replace('transaction', 'txn').replace('sequence', 'sequencenumber')
      expect(said(kafkaError(code).name)).toContain(
        short === 'concurrenttxns' ? 'concurrenttransactions' : short,
      )
    }
  })
})
