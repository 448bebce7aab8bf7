/**
 * Judges a URL as a call would meet it now, name looked up and all: for registering endpoints. It promises nothing for
 * later, which is why each call judges again.
 */
import type { Clock } from '../../engine/index.ts'
import { makeVetting } from './address-vetting.ts'
import { vettedAddresses } from './dial.ts'
import { DialError } from './dial-error.ts'
import type { EgressSettings } from './http-sender.ts'
import { type ResolveHost, systemResolver } from './resolve-host.ts'

export interface HostCheckOptions {
  readonly egress: EgressSettings
  /** Real time. */
  readonly clock: Clock
  /** Default: DNS, then the system. */
  readonly resolve?: ResolveHost
}

/** Why the URL would not be called now; `undefined` when it would. */
export type HostCheck = (url: string) => Promise<string | undefined>

/** Makes the check. Where a proxy looks names up, names cannot be judged here. */
export function makeHostCheck({ egress, clock, resolve }: HostCheckOptions): HostCheck {
  const vetting = makeVetting(egress)
  const lookUp = resolve ?? systemResolver(clock)
  return async (text) => {
    if (!URL.canParse(text)) return 'it is not a URL'
    const url = new URL(text)
    const forbidden = vetting.url(url)
    if (forbidden !== undefined || egress.proxy?.resolvesNames === true) return forbidden
    try {
      await vettedAddresses(url.hostname.replace(/^\[(.*)\]$/, '$1'), { vetting, resolve: lookUp })
      return undefined
    } catch (error) {
      if (error instanceof DialError) return error.message
      throw error
    }
  }
}
