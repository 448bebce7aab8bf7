import { describe, expect, it } from 'vitest'
import { classifyError, classifyStatus } from './classify.ts'

const coded = (code: string, message = 'it broke'): Error => Object.assign(new Error(message), { code })

describe('network errors', () => {
  it.each([
    ['ENOTFOUND', 'dns'],
    ['ECONNREFUSED', 'refused'],
    ['UND_ERR_CONNECT_TIMEOUT', 'timeout_connect'],
    ['ETIMEDOUT', 'timeout_connect'],
    ['UND_ERR_SOCKET', 'reset'],
    ['EPIPE', 'reset'],
    ['CERT_HAS_EXPIRED', 'tls'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'tls'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'tls'],
    ['HPE_INVALID_CONSTANT', 'http_invalid'],
    ['EHOSTUNREACH', 'unreachable'],
    ['ESOMETHING_NEW', 'other_error'],
  ])('%s is %s', (code, outcome) => {
    expect(classifyError(coded(code))).toEqual({ class: outcome, detail: `${code}: it broke` })
  })

  it('are found inside of what wraps them', () => {
    expect(classifyError(new AggregateError([coded('ECONNREFUSED')], 'all failed')).class).toBe('refused')
    expect(classifyError(new Error('outer', { cause: coded('ENOTFOUND') })).class).toBe('dns')
  })

  it('without a code are other_error, named', () => {
    expect(classifyError(new TypeError('odd'))).toEqual({ class: 'other_error', detail: 'TypeError: odd' })
    expect(classifyError('text')).toEqual({ class: 'other_error', detail: 'text' })
  })
})

describe('a status outside of what HTTP knows', () => {
  it.each([199, 600, 999])('%i is http_invalid', (status) => {
    expect(classifyStatus(status, { isTooLong: false })).toBe('http_invalid')
  })
})
