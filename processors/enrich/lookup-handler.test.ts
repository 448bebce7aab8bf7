import { describe, expect, it } from 'vitest'
import { UndecodableError } from '../../engine/index.ts'
import type { DispatchAnswer } from '../../ports/dispatch.ts'
import { noDispatch } from '../../ports/dispatch.ts'
import { lookupHandler, lookupRequestSerde } from './lookup-handler.ts'

const asked = (answer: DispatchAnswer) => {
  const handler = lookupHandler({
    dispatch: { lookup: async () => answer },
    seal: { seal: (text) => `sealed:k1:${text.length}` },
    maskPhone: (phone) => (phone === null ? null : 'masked'),
  })
  const intent = {
    id: '1/1/0/1',
    key: '1',
    pool: 'dispatch',
    priority: 0,
    notAfter: 1,
    request: { order_id: '1', attempt_no: 1 },
  }
  const view = { read: () => undefined, global: () => undefined }
  return handler(intent, view, { signal: new AbortController().signal, again: false, starts: 1 })
}

const rider = {
  assignmentId: null,
  riderName: 'Ravi',
  riderPhone: '+919811122233',
  otp: '8821',
  etaStart: 1,
  etaEnd: 2,
  updatedAt: 3,
}

describe('lookupHandler', () => {
  it('masks and seals before anything else sees the answer', async () => {
    const result = await asked({ kind: 'found', rider })
    expect(result).toEqual({
      kind: 'found',
      assignment_id: '',
      rider_name: 'Ravi',
      rider_phone_masked: 'masked',
      otp: 'sealed:k1:4',
      eta_start: 1,
      eta_end: 2,
      updated_at: 3,
    })
    expect(JSON.stringify(result)).not.toMatch(/8821|98111/)
  })

  it('takes blank names and passwords for none', async () => {
    const result = await asked({ kind: 'found', rider: { ...rider, riderName: ' ', otp: '' } })
    expect(result).toMatchObject({ rider_name: null, otp: null })
  })

  it('passes on that nobody is assigned, or that dispatch is away', async () => {
    expect(await asked({ kind: 'not_yet' })).toEqual({ kind: 'not_yet' })
    expect(await asked({ kind: 'unavailable', message: 'down' })).toEqual({
      kind: 'unavailable',
      message: 'down',
    })
    const signal = new AbortController().signal
    expect(await noDispatch.lookup('1', 1, { signal })).toEqual({ kind: 'not_yet' })
  })
})

describe('lookupRequestSerde', () => {
  it('reads what it wrote, and refuses anything else', () => {
    for (const request of [
      { order_id: '1', attempt_no: 2 },
      { order_id: 'x', attempt_no: null },
    ]) {
      expect(lookupRequestSerde.deserialize(lookupRequestSerde.serialize(request))).toEqual(request)
    }
    expect(() => lookupRequestSerde.deserialize(Buffer.from('{"order_id":1}'))).toThrow(UndecodableError)
    expect(() => lookupRequestSerde.deserialize(Buffer.from('null'))).toThrow(UndecodableError)
  })
})
