import { describe, expect, it } from 'vitest'
import { type TurnQueueLimits, turnQueue } from './turn-queue.ts'

const anything = () => true

function queueOf(items: string[], limits: TurnQueueLimits = { size: 100, perKey: 100 }) {
  const queue = turnQueue<string>(limits)
  const place = (item: string) => ({ key: item.charAt(0), priority: Number(item.split('@')[1] ?? 0) })
  for (const item of items) queue.add(item, place(item))
  const takeAll = (accepts: (item: string) => boolean = anything) => {
    const taken: string[] = []
    for (let found = queue.take(accepts); found; found = queue.take(accepts)) taken.push(found.item)
    return taken
  }
  return { queue, place, takeAll }
}

describe('a turn queue', () => {
  it('serves keys in turn, and each key in order', () => {
    expect(queueOf(['a1', 'a2', 'a3', 'b1', 'c1', 'b2']).takeAll()).toEqual([
      'a1',
      'b1',
      'c1',
      'a2',
      'b2',
      'a3',
    ])
  })

  it('serves low priority numbers first', () => {
    expect(queueOf(['a1@9', 'b1@1', 'a2@1', 'c1@5']).takeAll()).toEqual(['b1@1', 'a2@1', 'c1@5', 'a1@9'])
  })

  it('lets one of a later priority go after seven of an earlier one, however many of those come', () => {
    const { queue, place, takeAll } = queueOf(['a@1', 'b@1', 'a@2'], { size: 1, perKey: 100 })
    const taken: string[] = []
    for (let n = 0; n < 24; n++) {
      const fresh = `c${n}`
      queue.add(fresh, place(fresh))
      for (const item of takeAll()) {
        taken.push(item.startsWith('c') ? 'c' : item)
        queue.release(item.charAt(0), 'pool')
      }
    }
    expect(taken.slice(0, 8).join(' ')).toBe('c c c c c c c a@1')
    expect(taken.slice(8, 17).join(' ')).toMatch(/a@2.*b@1|b@1.*a@2/)
    expect(taken.filter((item) => item === 'c')).toHaveLength(21)
  })

  it('counts for a later priority only what goes while something waits there', () => {
    const { queue, place, takeAll } = queueOf(['a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7'])
    expect(takeAll()).toHaveLength(7)
    for (const item of ['r@1', 'b1']) queue.add(item, place(item))
    expect(takeAll()).toEqual(['b1', 'r@1'])
  })

  it('keeps to its bounds until a slot is given back', () => {
    const { queue, takeAll } = queueOf(['a1', 'a2', 'b1', 'c1'], { size: 2, perKey: 1 })
    expect(takeAll()).toEqual(['a1', 'b1'])
    queue.release('a', 'pool')
    expect(takeAll()).toEqual(['c1'])
    queue.release('b', 'pool')
    expect(takeAll()).toEqual(['a2'])
  })

  it('passes over what is not accepted, which keeps its place', () => {
    const { takeAll } = queueOf(['a1', 'a2', 'b1'])
    expect(takeAll((item) => item !== 'a1')).toEqual(['a2', 'b1'])
    expect(takeAll()).toEqual(['a1'])
  })

  it('forgets what is removed; removing twice is harmless', () => {
    const { queue, place, takeAll } = queueOf(['a1', 'a2', 'b1'])
    queue.remove('a1', place('a1'))
    queue.remove('a1', place('a1'))
    queue.remove('b1', place('b1'))
    expect(takeAll()).toEqual(['a2'])
  })

  it('gives the slot of what is set aside to the next, of another key', () => {
    const { queue, takeAll } = queueOf(['a1', 'b1', 'c1'], { size: 1, perKey: 9, aside: 8 })
    expect(takeAll()).toEqual(['a1'])
    expect(queue.setAside('a')).toBe(true)
    expect(takeAll()).toEqual(['b1'])
  })

  it('takes what follows of a key that has something aside from no slot, and only into part of the room', () => {
    const { queue, place, takeAll } = queueOf(['a1'], { size: 1, perKey: 9, aside: 8 })
    takeAll()
    queue.setAside('a')
    for (const item of ['a2', 'a3', 'b1']) queue.add(item, place(item))
    expect(queue.take(anything)).toEqual({ item: 'a2', slot: 'aside' })
    // Two of eight are entered directly or set aside: the rest of the room is for others that turn out to be slow.
    expect(takeAll()).toEqual(['b1'])
    queue.release('a', 'aside')
    expect(queue.take(anything)).toEqual({ item: 'a3', slot: 'aside' })
    queue.release('a', 'aside')
    queue.release('a', 'aside')
    queue.add('a4', place('a4'))
    expect(takeAll()).toEqual([])
    queue.release('b', 'pool')
    expect(queue.take(anything)).toEqual({ item: 'a4', slot: 'pool' })
  })

  it('sets nothing aside when there is no room: the slot stays taken', () => {
    const { queue, takeAll } = queueOf(['a1', 'b1', 'c1'], { size: 2, perKey: 9, aside: 1 })
    expect(takeAll()).toEqual(['a1', 'b1'])
    expect(queue.setAside('a')).toBe(true)
    expect(queue.setAside('b')).toBe(false)
    expect(takeAll()).toEqual(['c1'])
    expect(queueOf(['a1'], { size: 1, perKey: 1 }).queue.setAside('a')).toBe(false)
  })
})
