/**
 * Makes the connection that a call would make, and looks at the certificate instead of sending: for telling a partner
 * what is wrong with it, and when it ends. Vetting and proxy are those of the sender.
 */
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { Clock } from '../../engine/index.ts'
import type { OutcomeClass, SendCertificate } from '../../ports/sender.ts'
import { makeVetting } from './address-vetting.ts'
import { makeAwaitedOrigins } from './awaited-origins.ts'
import { classifyError } from './classify.ts'
import { makeDial } from './dial.ts'
import { DialError } from './dial-error.ts'
import type { EgressSettings } from './http-sender.ts'
import { type ResolveHost, systemResolver } from './resolve-host.ts'

/** What was found. Without TLS there is nothing to look at but that the connection stands. */
export type CertificateLook =
  | { readonly kind: 'plain' }
  | {
      readonly kind: 'certified'
      /** E.g. TLSv1.3. */
      readonly protocol: string
      /** Milliseconds since the epoch. */
      readonly validUntil: number
      readonly issuer: string
    }
  /** `code` is Node's, where there is one; `detail` a text. */
  | {
      readonly kind: 'failed'
      readonly outcome: OutcomeClass
      readonly code: string | undefined
      readonly detail: string
    }

export interface CertificateLookOptions {
  readonly egress: EgressSettings
  /** Real time. */
  readonly clock: Clock
  /** Default: DNS, then the system. */
  readonly resolve?: ResolveHost
  /** PEM; certificates to trust beside Node's own. */
  readonly trusted?: string
}

/** Makes the look; it resolves whatever the network does. */
export function makeCertificateLook({ egress, clock, resolve, trusted }: CertificateLookOptions) {
  const awaited = makeAwaitedOrigins()
  const dialOptions = {
    vetting: makeVetting(egress),
    awaited,
    resolve: resolve ?? systemResolver(clock),
    proxy: egress.proxy ?? null,
    trusted,
    clock,
  }
  return (url: URL, timeoutMs: number, certificate: SendCertificate | null): Promise<CertificateLook> =>
    new Promise((settle) => {
      const stopWaiting = awaited.wait(url.origin)
      let isOver = false
      const end = (look: CertificateLook) => {
        isOver = true
        cancelDeadline()
        stopWaiting()
        settle(look)
      }
      const cancelDeadline = clock.at(clock.now() + timeoutMs, () =>
        end(failed(new DialError('timeout_connect', `no connection within ${timeoutMs} ms`))),
      )
      const { hostname, host, protocol, port } = url
      const bare = hostname.replace(/^\[(.*)\]$/, '$1')
      makeDial(dialOptions, certificate)({ hostname: bare, host, protocol, port }, (error, socket) => {
        if (!isOver) end(error ? failed(error) : lookAt(socket))
        socket?.destroy()
      })
    })
}

function failed(error: unknown): CertificateLook {
  const { class: outcome, detail } = classifyError(error)
  const code = /^([A-Z][A-Z0-9_]+): /.exec(detail)?.[1]
  return { kind: 'failed', outcome, code, detail }
}

function lookAt(socket: Socket | null): CertificateLook {
  if (!(socket instanceof TLSSocket)) return { kind: 'plain' }
  const { valid_to: validTo, issuer } = socket.getPeerCertificate()
  return {
    kind: 'certified',
    protocol: socket.getProtocol() ?? 'TLS',
    validUntil: Date.parse(validTo),
    issuer: String(issuer.O ?? issuer.CN ?? 'nobody by name'),
  }
}
