/**
 * Makes the connections of the sender. A name is looked up here, every answer is vetted, and exactly the vetted
 * addresses are dialled: nothing looks the name up again in between, so an answer that flips gains nothing.
 */
import { isIP, type LookupFunction } from 'node:net'
import { buildConnector } from 'undici'
import type { Clock } from '../../engine/index.ts'
import type { SendCertificate } from '../../ports/sender.ts'
import type { Vetting } from './address-vetting.ts'
import type { AwaitedOrigins } from './awaited-origins.ts'
import { DialError } from './dial-error.ts'
import { type EgressProxy, openTunnel } from './proxy-tunnel.ts'
import type { ResolveHost } from './resolve-host.ts'

export interface DialOptions {
  readonly vetting: Vetting
  readonly awaited: AwaitedOrigins
  readonly resolve: ResolveHost
  readonly proxy: EgressProxy | null
  /** PEM; certificates to trust beside those that Node brings along. */
  readonly trusted: string | undefined
  readonly clock: Clock
}

/** Connecting ends after this at the latest; a call's own deadline is never longer. */
const connectTimeoutMs = 15_000

/** A connector for undici that shows `certificate` to receivers that ask for one. */
export function makeDial(
  options: DialOptions,
  certificate: SendCertificate | null,
): buildConnector.connector {
  const { awaited } = options
  const dial = options.proxy
    ? dialByProxy(options, options.proxy, certificate)
    : dialDirectly(options, certificate)
  return (target, callback) => {
    if (awaited.isAwaited(originOf(target))) return dial(target, callback)
    callback(new DialError('other_error', 'nobody waits for this connection any more'), null)
  }
}

const originOf = ({ protocol, host, hostname }: buildConnector.Options): string =>
  `${protocol}//${host ?? hostname}`

const makeConnector = (
  { vetting, resolve, trusted }: DialOptions,
  certificate: SendCertificate | null,
): buildConnector.connector =>
  buildConnector({
    timeout: connectTimeoutMs,
    lookup: vettedLookup(vetting, resolve),
    ...(trusted !== undefined && { ca: trusted }),
    ...(certificate && { cert: certificate.certificate, key: certificate.privateKey }),
  })

function dialDirectly(options: DialOptions, certificate: SendCertificate | null): buildConnector.connector {
  const connect = makeConnector(options, certificate)
  return (target, callback) => {
    // `lookup` is not asked for what is an address already.
    if (isIP(target.hostname) === 0) return connect(target, callback)
    try {
      vetAll(target.hostname, [target.hostname], options.vetting)
    } catch (error) {
      return callback(asError(error), null)
    }
    connect(target, callback)
  }
}

function dialByProxy(
  options: DialOptions,
  proxy: EgressProxy,
  certificate: SendCertificate | null,
): buildConnector.connector {
  const { clock } = options
  const connect = makeConnector(options, certificate)
  const nameForProxy = async (hostname: string): Promise<string> => {
    if (proxy.resolvesNames && isIP(hostname) === 0) return hostname
    return (await vettedAddresses(hostname, options))[0]
  }
  return (target, callback) => {
    const port = target.port === '' ? (target.protocol === 'https:' ? '443' : '80') : target.port
    nameForProxy(target.hostname)
      .then((host) =>
        openTunnel({ proxy, target: hostAndPort(host, port), timeoutMs: connectTimeoutMs, clock }),
      )
      .then(
        (socket) => {
          if (target.protocol === 'https:') connect({ ...target, httpSocket: socket }, callback)
          else callback(null, socket)
        },
        (error: unknown) => callback(asError(error), null),
      )
  }
}

const hostAndPort = (host: string, port: string): string =>
  isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`

/** What may be dialled for a host: all that it stands for, or a `DialError` when one of them is forbidden. */
export async function vettedAddresses(
  hostname: string,
  { vetting, resolve }: Pick<DialOptions, 'vetting' | 'resolve'>,
): Promise<readonly [string, ...string[]]> {
  return vetAll(hostname, isIP(hostname) === 0 ? await resolve(hostname) : [hostname], vetting)
}

/** All of them, or a `DialError` for the first that may not be called: one bad answer spoils the name. */
function vetAll(
  hostname: string,
  addresses: readonly string[],
  vetting: Vetting,
): readonly [string, ...string[]] {
  for (const address of addresses) {
    const problem = vetting.address(address)
    if (problem === undefined) continue
    const whose = address === hostname ? '' : `${hostname} stands for an address that may not be called: `
    throw new DialError('blocked_address', whose + problem)
  }
  const [first, ...others] = addresses
  if (first === undefined) throw new DialError('dns', `the name ${hostname} has no address`)
  return [first, ...others]
}

/** What `net.connect` asks for addresses. It dials what it is given, in turn, and nothing else. */
function vettedLookup(vetting: Vetting, resolve: ResolveHost): LookupFunction {
  return (hostname, options, callback) => {
    vettedAddresses(hostname, { vetting, resolve }).then(
      (addresses) => {
        const found = addresses.map((address) => ({ address, family: isIP(address) }))
        const [first] = found
        if (options.all === true) callback(null, found)
        else callback(null, first?.address ?? '', first?.family)
      },
      (error: unknown) => callback(asError(error), ''),
    )
  }
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)))
