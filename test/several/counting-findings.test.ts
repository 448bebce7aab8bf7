/** The comparison that the tests with several processes lean on finds what it is there to find. */
import { describe, expect, it } from 'vitest'
import { groupOf, nextOf } from './counting.ts'
import { chainFindings, foldFindings } from './counting-findings.ts'

const fed = new Map([
  ['key-1', ['0', '2', '4']],
  ['key-41', ['1', '3']],
])

/** The chain states that a right run makes of these values. */
const chainOf = (values: readonly string[]) => {
  let state: string | undefined
  return values.map((value) => {
    state = nextOf(state, value)
    return state
  })
}

const rightChain = () => new Map([...fed].map(([key, values]) => [key, chainOf(values)]))
/** Both keys are of one group. */
const rightFold = () => {
  const [one = [], other = []] = [...rightChain().values()]
  const values = [
    `key-1 ${one[0]}`,
    `key-41 ${other[0]}`,
    `key-1 ${one[1]}`,
    `key-1 ${one[2]}`,
    `key-41 ${other[1]}`,
  ]
  return values.map((value, nth) => `${nth + 1} ${value}`)
}

describe('the chain', () => {
  const broken = (values: readonly string[]) =>
    chainFindings(fed, new Map([...rightChain(), ['key-1', values]]))

  it('is right', () => {
    expect(chainFindings(fed, rightChain())).toEqual([])
  })
  it('shows a lost record, a repeated one, and one too many', () => {
    const [first = '', second = '', third = ''] = chainOf(['0', '2', '4'])
    expect(broken([first, third])).toHaveLength(1)
    expect(broken([first, second, second, third])).toHaveLength(1)
    expect(broken([first, second, third, third])).toHaveLength(1)
    expect(broken([])).toHaveLength(1)
  })
  it('shows records that were processed twice, or in another order', () => {
    expect(broken(chainOf(['0', '0', '2', '4']))).toHaveLength(1)
    expect(broken(chainOf(['0', '4', '2']))).toHaveLength(1)
  })
  it('shows keys that nobody fed', () => {
    expect(chainFindings(fed, new Map([...rightChain(), ['key-7', ['1 x']]]))).toHaveLength(1)
  })
})

describe('the fold', () => {
  const findings = (values: readonly string[]) => foldFindings(fed, new Map([[groupOf('key-1'), values]]))

  it('is right', () => {
    expect(findings(rightFold())).toEqual([])
  })
  it('shows a lost record, a repeated one, and a key out of its order', () => {
    const right = rightFold()
    expect(findings(right.slice(0, -1))).not.toEqual([])
    expect(findings(right.slice(1))).not.toEqual([])
    expect(findings([...right, right.at(-1) ?? ''])).not.toEqual([])
    expect(findings([right[2] ?? '', ...right.slice(1, 2), right[0] ?? '', ...right.slice(3)])).not.toEqual(
      [],
    )
  })
})
