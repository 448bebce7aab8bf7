/**
 * Looks names up for the sender, away from Node's thread pool: four hanging `getaddrinfo` calls there would hold up
 * every file and database access of the process, and a partner's broken name server can make as many.
 */
import { lookup, Resolver } from 'node:dns/promises'
import type { Clock } from '../../engine/index.ts'
import { DialError } from './dial-error.ts'

/** The addresses of a name, at least one; rejects with a `DialError` when there is none. */
export type ResolveHost = (hostname: string) => Promise<readonly string[]>

/** A name server that does not answer is asked once more; both together stay well below the longest deadline. */
const serverTimeoutMs = 2_000
const serverTries = 2

/** Once one family has answered, the other gets so long: many servers never answer for AAAA. RFC 8305 says 50 ms. */
const otherFamilyGraceMs = 100

/** Threads of the pool that lookups by the system may take: those are for names that DNS does not know. */
const systemLookupsMax = 2

/**
 * Asks DNS for A and AAAA, then the system (hosts file, search domains) for a name that DNS does not know. `servers` are
 * name servers as `address:port`, instead of the system's.
 */
export function systemResolver(clock: Clock, servers?: readonly string[]): ResolveHost {
  const resolver = new Resolver({ timeout: serverTimeoutMs, tries: serverTries })
  if (servers) resolver.setServers(servers)
  const asksSystem = systemLookup()
  return async (hostname) => {
    if (/(^|\.)localhost\.?$/i.test(hostname)) return ['127.0.0.1', '::1']
    const families = [resolver.resolve4(hostname), resolver.resolve6(hostname)]
    const found = await bothOrOne(families, clock)
    if (found.addresses.length > 0) return found.addresses
    if (found.isUnknown) return asksSystem(hostname)
    throw unresolved(`the name ${hostname} could not be looked up: ${found.codes.join(', ')}`)
  }
}

interface Found {
  readonly addresses: readonly string[]
  readonly codes: readonly string[]
  /** DNS answered, and knows no address of that name. */
  readonly isUnknown: boolean
}

const unknownCodes = ['ENOTFOUND', 'ENODATA']

/** Waits for both families, or for the grace after the first that has addresses. */
function bothOrOne(families: readonly Promise<readonly string[]>[], clock: Clock): Promise<Found> {
  return new Promise((resolve) => {
    const addresses: string[] = []
    const codes: string[] = []
    let open = families.length
    let cancelGrace: (() => void) | undefined
    const end = () => {
      cancelGrace?.()
      resolve({
        addresses: [...addresses],
        codes: [...new Set(codes)],
        isUnknown: codes.every((code) => unknownCodes.includes(code)),
      })
    }
    for (const family of families) {
      family.then(
        (found) => {
          addresses.push(...found)
          open--
          if (open === 0) return end()
          if (addresses.length > 0) cancelGrace ??= clock.at(clock.now() + otherFamilyGraceMs, end)
        },
        (error: unknown) => {
          codes.push(codeOf(error))
          open--
          if (open === 0) end()
        },
      )
    }
  })
}

/** `getaddrinfo`, so many at once and the others in turn. */
function systemLookup(): ResolveHost {
  let running = 0
  const waiting: (() => void)[] = []
  return async (hostname) => {
    if (running >= systemLookupsMax) await new Promise<void>((resolve) => waiting.push(resolve))
    running++
    try {
      const found = await lookup(hostname, { all: true })
      return found.map(({ address }) => address)
    } catch (error) {
      throw unresolved(`the name ${hostname} is not known: ${codeOf(error)}`, error)
    } finally {
      running--
      waiting.shift()?.()
    }
  }
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : String(error)

/** The codes of c-ares overlap with those of sockets (`ECONNREFUSED`), so the class is said outright. */
const unresolved = (message: string, cause?: unknown): DialError => new DialError('dns', message, { cause })
