/** Where a registry is, how to be let in, and what of it may be shown. */
import { type ConnectionOptions, rootCertificates } from 'node:tls'
import { RegistryError } from './registry-error.ts'

/** Where a registry is and how to be let in. */
export interface RegistryAddress {
  /** What stands before `/subjects`, e.g. `http://127.0.0.1:8081` or `http://…:8080/apis/ccompat/v7`. */
  readonly url: string
  readonly auth?: RegistryAuth
  /** For https: who may sign the registry's certificate (PEM) beside the usual ones, and who we are. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string }
  /** An answer that takes longer counts as none. */
  readonly timeoutMs?: number
}

export type RegistryAuth =
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  | { readonly kind: 'bearer'; readonly token: string }

/** Registries answer in milliseconds; one that takes longer than this is as good as away. */
export const defaultRegistryTimeoutMs = 5_000

/** The address as it is asked and shown. */
export function registryUrl({ url }: Pick<RegistryAddress, 'url'>): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (!parsed || !/^https?:$/.test(parsed.protocol)) {
    throw new RegistryError('foreign', 'registry.url is no address; write it like http://127.0.0.1:8081')
  }
  if (parsed.username !== '' || parsed.password !== '') {
    throw new RegistryError(
      'foreign',
      'registry.url holds credentials; addresses end up in logs, so put them into registry.auth',
    )
  }
  return `${parsed.origin}${parsed.pathname}`.replace(/\/+$/, '')
}

/** The header that lets us in. */
export function authorization(auth: RegistryAuth | undefined): { authorization?: string } {
  if (auth === undefined) return {}
  if (auth.kind === 'bearer') return { authorization: `Bearer ${auth.token}` }
  const pair = Buffer.from(`${auth.username}:${auth.password}`).toString('base64')
  return { authorization: `Basic ${pair}` }
}

/** As Node's TLS takes it. An authority of our own comes beside the usual ones, not instead of them. */
export function tlsOptions({ tls }: RegistryAddress): Pick<ConnectionOptions, 'ca' | 'cert' | 'key'> {
  return {
    ...(tls?.ca !== undefined && { ca: [...rootCertificates, tls.ca] }),
    ...(tls?.cert !== undefined && { cert: tls.cert }),
    ...(tls?.key !== undefined && { key: tls.key }),
  }
}
