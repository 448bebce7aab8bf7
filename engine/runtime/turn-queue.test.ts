import { describe, expect, it } from 'vitest'
import { turnQueue } from './turn-queue.ts'

const anything = () => true

function queueOf(items: string[], limits = { size: 100, perKey: 100 }) {
  const queue = turnQueue<string>(limits)
  const place = (item: string) => ({ key: item.charAt(0), priority: Number(item.split('@')[1] ?? 0) })
  for (const item of items) queue.add(item, place(item))
  const takeAll = (accepts: (item: string) => boolean = anything) => {
    const taken: string[] = []
    for (let item = queue.take(accepts); item; item = queue.take(accepts)) taken.push(item)
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

  it('keeps to its bounds until a slot is given back', () => {
    const { queue, takeAll } = queueOf(['a1', 'a2', 'b1', 'c1'], { size: 2, perKey: 1 })
    expect(takeAll()).toEqual(['a1', 'b1'])
    queue.release('a')
    expect(takeAll()).toEqual(['c1'])
    queue.release('b')
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
})
