import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { loopbackEgress, makeVetting, parseNetwork, strictEgress } from './address-vetting.ts'

const strict = makeVetting(strictEgress)

/**
 * The registries of IANA and what we add to them, written out once more and judged by plain numbers: the code under
 * test asks a library, and must agree.
 */
const specialIPv4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '168.63.129.16/32',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.31.196.0/24',
  '192.52.193.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '192.175.48.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
].map((cidr) => {
  const [base = '', bits = ''] = cidr.split('/')
  const size = 2 ** (32 - Number(bits))
  return { cidr, first: numberOf(base), last: numberOf(base) + size - 1 }
})

function numberOf(dotted: string): number {
  return dotted.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
}
const dotted = (value: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.')
const hex = (value: number): string => value.toString(16).padStart(4, '0')
const halves = (value: number): string => `${hex(Math.floor(value / 65_536))}:${hex(value % 65_536)}`

const isSpecial = (value: number): boolean =>
  specialIPv4.some(({ first, last }) => value >= first && value <= last)

/** Anywhere, and at the edges of the ranges more often than chance would have it. */
const ipv4 = fc.oneof(
  fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  fc
    .tuple(fc.constantFrom(...specialIPv4), fc.constantFrom('first', 'last'), fc.integer({ min: -1, max: 1 }))
    .map(([range, edge, step]) => Math.min(2 ** 32 - 1, Math.max(0, range[edge] + step))),
)

describe('an IPv4 address', () => {
  it('may be called when it lies in none of the special ranges', () => {
    fc.assert(
      fc.property(ipv4, (value) => {
        expect(strict.address(dotted(value)) === undefined).toBe(!isSpecial(value))
      }),
      { numRuns: 2_000 },
    )
  })

  it.each(specialIPv4)('of $cidr may not', ({ first, last }) => {
    for (const value of [first, last]) expect(strict.address(dotted(value))).toContain('is not public')
  })

  it('is judged as what a URL makes of its spelling', () => {
    const spellings: ((value: number) => string)[] = [
      (value) => String(value),
      (value) => `0x${value.toString(16)}`,
      (value) => `0${value.toString(8)}`,
      (value) => dotted(value),
      (value) => `${dotted(value)}.`,
      (value) => `${Math.floor(value / 2 ** 24)}.${value % 2 ** 24}`,
    ]
    fc.assert(
      fc.property(ipv4, fc.constantFrom(...spellings), (value, spell) => {
        const verdict = strict.url(new URL(`https://${spell(value)}/hook`))
        expect(verdict === undefined).toBe(!isSpecial(value))
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('an IPv4 address inside of an IPv6 one', () => {
  const disguises: Record<string, (value: number) => string> = {
    mapped: (value) => `::ffff:${dotted(value)}`,
    'mapped, in hexadecimal': (value) => `::ffff:${halves(value)}`,
    compatible: (value) => `::${halves(value)}`,
    translated: (value) => `::ffff:0:${halves(value)}`,
    NAT64: (value) => `64:ff9b::${halves(value)}`,
    'local NAT64': (value) => `64:ff9b:1::${halves(value)}`,
    '6to4': (value) => `2002:${halves(value)}::1`,
    Teredo: (value) => `2001:0:${halves(value)}::1`,
  }
  it.each(Object.entries(disguises))('%s is never called, whatever it is', (_, disguise) => {
    fc.assert(
      fc.property(ipv4, (value) => {
        expect(strict.address(disguise(value))).toContain('is not public')
        expect(strict.url(new URL(`https://[${disguise(value)}]/`))).toContain('is not public')
      }),
      { numRuns: 300 },
    )
  })
})

describe('an IPv6 address', () => {
  const groups = fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 8, maxLength: 8 })

  it('outside of what the Internet uses may not be called', () => {
    fc.assert(
      fc.property(groups, ([first = 0, ...rest]) => {
        fc.pre(first < 0x2000 || first > 0x3fff)
        expect(strict.address([first, ...rest].map(hex).join(':'))).toContain('is not public')
      }),
      { numRuns: 1_000 },
    )
  })

  it.each([
    '::',
    '::1',
    'fe80::1',
    'fe80::1%eth0',
    '2606:4700::1111%eth0',
    'fc00::1',
    'fd00:ec2::254',
    'fec0::1',
    'ff02::1',
    '100::1',
    '2001:2::1',
    '2001:db8::1',
    '2001:10::1',
    '2001:20::1',
    '3fff::1',
    '5f00::1',
  ])('%s may not be called', (text) => {
    expect(strict.address(text)).toBeDefined()
  })

  it.each(['2606:4700::1111', '2a00:1450:4001:80b::200e', '2400:cb00:2048:1::c629:d7a2'])(
    '%s may be called',
    (text) => {
      expect(strict.address(text)).toBeUndefined()
    },
  )
})

describe('what is allowed beside', () => {
  it('is the networks that are named, mapped spellings included, and nothing else', () => {
    const vetting = makeVetting({ allowHttp: false, allowedNetworks: ['10.20.0.0/16', 'fd12:3456::/32'] })
    for (const fine of ['10.20.0.1', '::ffff:10.20.255.255', 'fd12:3456:1::1'])
      expect(vetting.address(fine), fine).toBeUndefined()
    for (const bad of ['10.21.0.1', '127.0.0.1', 'fd12:3457::1', '::10.20.0.1', '2002:0a14:0001::1'])
      expect(vetting.address(bad), bad).toContain('is not public')
  })

  it('is http where it is allowed, to the same addresses', () => {
    expect(strict.url(new URL('http://partner.example/'))).toBe('http is not allowed, only https')
    const open = makeVetting({ allowHttp: true, allowedNetworks: [] })
    expect(open.url(new URL('http://partner.example/'))).toBeUndefined()
    expect(open.url(new URL('http://169.254.169.254/latest/meta-data'))).toContain('linkLocal')
    expect(makeVetting(loopbackEgress).url(new URL('http://127.0.0.1:9/'))).toBeUndefined()
  })

  it('is no network that is none', () => {
    for (const text of ['10.0.0.0', '10.0.0.0/33', 'localhost/8', '']) {
      expect(parseNetwork(text), text).toBeUndefined()
      expect(() => makeVetting({ allowHttp: false, allowedNetworks: [text] })).toThrow('is not a network')
    }
  })

  it('says of what is no address that it is none', () => {
    for (const text of ['', 'partner.example', '1.2.3.4.5', '::g'])
      expect(strict.address(text)).toContain('is not')
  })
})
