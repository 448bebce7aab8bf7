import { describe, expect, it } from 'vitest'
import { redirectTarget } from './redirect-target.ts'

const from = new URL('https://hooks.acme.example/in/waybill?key=1')

describe('the target of a redirect', () => {
  it.each([
    ['https://hooks.acme.example/in/waybill/', 'https://hooks.acme.example/in/waybill/'],
    ['/login', 'https://hooks.acme.example/login'],
    ['next', 'https://hooks.acme.example/in/next'],
    ['//other.example:8443/x', 'https://other.example:8443/x'],
    ['https://ann:pw@acme.example/in?token=abc#top', 'https://acme.example/in'],
    ['javascript:alert(1)', undefined],
    ['http://', undefined],
    [undefined, undefined],
  ])('%s is %s', (location, target) => {
    expect(redirectTarget(location, from)).toBe(target)
  })
})
