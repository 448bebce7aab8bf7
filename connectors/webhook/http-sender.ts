/**
 * The sender that really sends: POST over pooled keep-alive connections, one deadline over all of a call, no
 * redirects, no repeats of its own. What it reads of a response is bounded, what it keeps is short and redacted.
 */
import { Agent, type buildConnector } from 'undici'
import type { Clock } from '../../engine/index.ts'
import type { Sender } from '../../ports/sender.ts'
import { type EgressRules, makeVetting } from './address-vetting.ts'
import { makeAgents } from './agents.ts'
import { makeAwaitedOrigins } from './awaited-origins.ts'
import { makeCallOffs } from './call-offs.ts'
import { makeDial } from './dial.ts'
import type { EgressProxy } from './proxy-tunnel.ts'
import { remembering } from './remembering.ts'
import { type ResolveHost, systemResolver } from './resolve-host.ts'
import { sendOnce } from './send-once.ts'
import { makeTarget } from './target.ts'

export interface HttpSenderOptions {
  /** Real time. */
  readonly clock: Clock
  /** Where calls may go, and by which way. */
  readonly egress: EgressSettings
  /** Default: DNS, then the system. */
  readonly resolve?: ResolveHost
  /** PEM; certificates to trust beside Node's own (and those of `NODE_EXTRA_CA_CERTS`). */
  readonly trusted?: string
}

/** The rules, and the proxy that all calls leave by, if there is one. */
export interface EgressSettings extends EgressRules {
  readonly proxy?: EgressProxy | null
}

export interface HttpSender extends Sender {
  /** Ends idle connections and waits for running calls. Closing twice is harmless. */
  close(): Promise<void>
}

/** Node's servers close idle connections after 5 s; ours go before that, so that no request meets a closing one. */
const keepAliveMs = 4_000

/** Endpoints with a client certificate that are called at about the same time; each has connections of its own. */
const certifiedAgentsMax = 256

/** Far more than a deployment has endpoints; one that is corrected is another text, and the old one drops out in time. */
const rememberedTargetsMax = 10_000

/** Makes the sender. */
export function createHttpSender({ clock, egress, resolve, trusted }: HttpSenderOptions): HttpSender {
  const vetting = makeVetting(egress)
  const awaited = makeAwaitedOrigins()
  const dialOptions = {
    vetting,
    awaited,
    resolve: resolve ?? systemResolver(clock),
    proxy: egress.proxy ?? null,
    trusted,
    clock,
  }
  const agents = makeAgents(
    (certificate) => makeAgent(makeDial(dialOptions, certificate)),
    certifiedAgentsMax,
  )
  const targetOf = remembering((url: string) => makeTarget(url, vetting), rememberedTargetsMax)
  const parts = { agents, awaited, callOffs: makeCallOffs(), clock, targetOf }
  let open = 0
  let allEnded: (() => void) | undefined
  let closed: Promise<void> | undefined
  const ended = (): void => {
    open--
    if (open === 0) allEnded?.()
  }
  const untilAllEnded = (): Promise<void> =>
    new Promise((resolve) => {
      allEnded = resolve
      if (open === 0) resolve()
    })
  return {
    send(request, { signal }) {
      const call = sendOnce(parts, request, signal)
      open++
      call.then(ended, ended)
      return call
    },
    close() {
      // Connections that are still being made would hold up undici's own close, for calls that ended long ago.
      closed ??= untilAllEnded().then(() => agents.destroy())
      return closed
    },
  }
}

/** Deadlines are per call and cover more than undici's own, which are left out. */
const makeAgent = (connect: buildConnector.connector): Agent =>
  new Agent({ pipelining: 1, keepAliveTimeout: keepAliveMs, headersTimeout: 0, bodyTimeout: 0, connect })
