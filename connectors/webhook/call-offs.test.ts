import { describe, expect, it } from 'vitest'
import { makeCallOffs } from './call-offs.ts'

describe('calling off', () => {
  it('reaches all calls of a signal that are open, each once, and no other', () => {
    const callOffs = makeCallOffs()
    const [one, other] = [new AbortController(), new AbortController()]
    const calledOff: string[] = []
    const forget = ['a', 'b', 'c'].map((name) => callOffs.on(one.signal, () => calledOff.push(name)))
    callOffs.on(other.signal, () => calledOff.push('other'))
    forget[1]?.()
    one.abort()
    one.abort()
    expect(calledOff).toEqual(['a', 'c'])
  })

  it('may forget a call while it is called off, and listens anew for calls that come later', () => {
    const callOffs = makeCallOffs()
    const { signal } = new AbortController()
    const listeners: unknown[] = []
    const watched = Object.assign(signal, {
      addEventListener: (_: string, listener: () => void) => listeners.push(listener),
      removeEventListener: (_: string, listener: () => void) =>
        listeners.splice(listeners.indexOf(listener), 1),
    })
    const forgetFirst = callOffs.on(watched, () => undefined)
    const forgetSecond = callOffs.on(watched, () => undefined)
    expect(listeners).toHaveLength(1)
    forgetFirst()
    forgetSecond()
    expect(listeners).toHaveLength(0)
    callOffs.on(watched, () => undefined)
    expect(listeners).toHaveLength(1)
  })
})
