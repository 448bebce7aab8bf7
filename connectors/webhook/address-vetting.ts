/**
 * Which URLs and addresses we may call: the guard against requests into our own network. The same code judges an
 * endpoint when it is registered and every address before it is dialled.
 */
import ipaddr from 'ipaddr.js'

/** Where calls may go. What is not said here is public https. */
export interface EgressRules {
  /** Whether plain http will do. */
  readonly allowHttp: boolean
  /** Networks, as CIDR, that may be called although they are not public. */
  readonly allowedNetworks: readonly string[]
}

/** Judges; each answer is `undefined` for yes, or why not. */
export interface Vetting {
  /** An IP address in any spelling. */
  address(text: string): string | undefined
  /** A URL before anything is looked up: its scheme, and its host where that is an IP address. */
  url(url: URL): string | undefined
}

/** https to public addresses, and nothing else. */
export const strictEgress: EgressRules = { allowHttp: false, allowedNetworks: [] }

/** What the demo and tests need beside that: http, and this machine. */
export const loopbackEgress: EgressRules = { allowHttp: true, allowedNetworks: ['127.0.0.0/8', '::1/128'] }

type Address = ipaddr.IPv4 | ipaddr.IPv6
type Network = [Address, number]

/**
 * Public by its range, but answered by the cloud's own machinery: Azure's wire server. The metadata services of the
 * others (169.254.169.254, fd00:ec2::254, 100.100.100.200, 192.0.0.192) lie in ranges that are refused anyway.
 */
const metadataAddresses = ['168.63.129.16']

/** IPv6 in use on the Internet (RFC 4291 §2.4); all that is carved out of it stands in the library's table. */
const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3')

/** Set aside for documentation by RFC 9637, which is newer than most tables. */
const furtherReserved = ipaddr.IPv6.parseCIDR('3fff::/20')

/** Makes the judge. Throws on a network that is none; configuration is checked with `parseNetwork` before. */
export function makeVetting(rules: EgressRules): Vetting {
  const allowed = rules.allowedNetworks.map((text) => {
    const network = parseNetwork(text)
    if (!network) throw new Error(`"${text}" is not a network; write it like 10.1.0.0/16`)
    return network
  })

  const address = (text: string): string | undefined => {
    const bare = bareAddress(text)
    if (!ipaddr.isValid(bare)) return `${text} is not an address`
    if (compatible.test(bare)) return `${bare} is not public (ipv4Compatible)`
    const parsed = ipaddr.parse(bare)
    const plain = parsed.kind() === 'ipv6' ? unmapped(parsed as ipaddr.IPv6) : parsed
    if (allowed.some((network) => isWithin(plain, network))) return undefined
    const range = specialRange(parsed)
    return range === undefined ? undefined : `${bare} is not public (${range})`
  }

  return {
    address,
    url(url) {
      if (url.protocol === 'http:' && !rules.allowHttp) return 'http is not allowed, only https'
      const host = bareAddress(url.hostname)
      return ipaddr.isValid(host) ? address(host) : undefined
    },
  }
}

/** The network of a CIDR, or `undefined` when the text is none. */
export function parseNetwork(text: string): Network | undefined {
  if (!ipaddr.isValidCIDR(text)) return undefined
  const [base, bits] = ipaddr.parseCIDR(text)
  return [base, bits]
}

/** The library takes `::10.0.0.1` for the mapped `::ffff:10.0.0.1`, which is another address; nobody uses these (RFC 4291). */
const compatible = /^::\d+\.\d+\.\d+\.\d+$/

/** URLs write IPv6 in brackets. */
const bareAddress = (text: string): string => text.replace(/^\[(.*)\]$/, '$1')

/** An allow-list of IPv4 networks means their mapped spelling too: it dials the same machine. */
const unmapped = (address: ipaddr.IPv6): Address =>
  address.isIPv4MappedAddress() ? address.toIPv4Address() : address

function isWithin(address: Address, [base, bits]: Network): boolean {
  if (address.kind() !== base.kind()) return false
  return address.kind() === 'ipv4'
    ? (address as ipaddr.IPv4).match(base as ipaddr.IPv4, bits)
    : (address as ipaddr.IPv6).match(base as ipaddr.IPv6, bits)
}

/** The name of the range that keeps an address from being public. */
function specialRange(address: Address): string | undefined {
  if (metadataAddresses.includes(address.toString())) return 'metadata'
  const range = address.range()
  if (range !== 'unicast') return range
  if (address.kind() === 'ipv4') return undefined
  const v6 = address as ipaddr.IPv6
  if (v6.zoneId !== undefined && v6.zoneId !== '') return 'zone'
  if (!v6.match(globalUnicast)) return 'reserved'
  return v6.match(furtherReserved) ? 'reserved' : undefined
}
