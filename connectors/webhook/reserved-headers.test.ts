import { describe, expect, it } from 'vitest'
import { headerProblem } from './reserved-headers.ts'

describe('a header of a partner', () => {
  it.each(['X-Api-Key', 'authorization', 'x-tenant', 'Accept', 'cookie', 'traceparent'])(
    'may be %s',
    (name) => {
      expect(headerProblem(name, 'Bearer abc.def=')).toBeUndefined()
    },
  )

  it.each([
    'Webhook-Id',
    'webhook-signature',
    'waybill-attempt',
    'Content-Type',
    'content-length',
    'Transfer-Encoding',
    'host',
    'connection',
    'User-Agent',
    'proxy-authorization',
    'expect',
  ])('may not be %s, which is reserved', (name) => {
    expect(headerProblem(name, 'x')).toBe(`the header "${name}" is reserved`)
  })

  it.each(['', 'with blank', 'colon:', 'naïve', 'line\nbreak', 'x'.repeat(65)])(
    'may not be called %j',
    (name) => {
      expect(headerProblem(name, 'x')).toContain('is not the name of a header')
    },
  )

  it.each(['a\r\nwebhook-id: other', 'nul\0', 'naïve', ' padded', 'x'.repeat(2049), ''])(
    'may not have the value %j, which is not told again',
    (value) => {
      expect(headerProblem('x-a', value)).toBe('the value of "x-a" cannot stand in a header')
    },
  )
})
