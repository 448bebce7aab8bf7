/**
 * Who asks, and what that one may see. Tokens are known by their SHA-256 alone. Without tokens only programs on
 * this machine are answered, and only when no web page made them ask.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { everything, type Scope } from '../ports/delivery-log.ts'
import type { ErrorCode } from './errors.ts'

export interface ApiToken {
  /** For people, in configuration and messages. */
  readonly name: string
  /** SHA-256 of the token, in hexadecimal; `tokenHash` makes it. */
  readonly sha256: string
  /** Everything, or what is one partner's. */
  readonly scope: 'operator' | { readonly partnerId: string }
}

/** `none` answers this machine alone, as an operator. */
export type ApiAuth = 'none' | { readonly tokens: readonly ApiToken[] }

/** What a route asks of who calls it: nothing, a token, or an operator's. */
export type Access = 'public' | 'token' | 'operator'

/** What is looked at. */
export interface Caller {
  readonly authorization: string | undefined
  /** IP address of the other end. */
  readonly address: string | undefined
  /** The headers `Host` and `Origin`. */
  readonly host: string | undefined
  readonly origin: string | undefined
}

export type Verdict = { readonly scope: Scope } | { readonly refused: RefusedAs }
type RefusedAs = Extract<ErrorCode, 'unauthorized' | 'forbidden' | 'local_only'>

/** The hash of a token, as configuration keeps it. Tokens are long and random, so one plain hash is enough. */
export const tokenHash = (token: string): string => sha256(token).toString('hex')

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest()

/** Makes the gate. Settings that nobody could pass with, or that would let everybody in, are refused at once. */
export function makeGate(auth: ApiAuth): (caller: Caller, access: Access) => Verdict {
  if (auth === 'none') return localGate
  const tokens = auth.tokens.map(({ name, sha256: hash, scope }) => {
    if (!/^[0-9a-f]{64}$/i.test(hash))
      throw new TypeError(`token "${name}": sha256 must be 64 hexadecimal digits`)
    if (scope !== 'operator' && scope.partnerId === '')
      throw new TypeError(`token "${name}" names no partner`)
    return { hash: Buffer.from(hash, 'hex'), scope: scope === 'operator' ? everything : scope }
  })
  return ({ authorization }, access) => {
    if (access === 'public') return { scope: nothing }
    const token = /^bearer +([^\s]+)$/i.exec(authorization ?? '')?.[1]
    const scope = token === undefined ? undefined : scopeOf(token, tokens)
    if (!scope) return { refused: 'unauthorized' }
    return access === 'operator' && scope.partnerId !== null ? { refused: 'forbidden' } : { scope }
  }
}

/** All are compared, each in constant time: how long it takes says nothing about which is nearly right. */
function scopeOf(token: string, tokens: readonly { hash: Buffer; scope: Scope }[]): Scope | undefined {
  const given = sha256(token)
  let found: Scope | undefined
  for (const { hash, scope } of tokens) if (timingSafeEqual(hash, given)) found = scope
  return found
}

/** Public routes look at no scope; should one, it finds nothing. */
const nothing: Scope = Object.freeze({ partnerId: '' })

/**
 * A browser on this machine reaches 127.0.0.1 for any page it shows: by a form, which names its `Origin`, or by a
 * name of the page's own that resolves to 127.0.0.1, which then stands in `Host`. Both are refused.
 */
function localGate({ address, host, origin }: Caller, access: Access): Verdict {
  if (access === 'public') return { scope: nothing }
  const local =
    isLoopback(address) &&
    isLocalName(host) &&
    (origin === undefined || (URL.canParse(origin) && isLocalName(new URL(origin).host)))
  return local ? { scope: everything } : { refused: 'local_only' }
}

const isLoopback = (address: string | undefined): boolean =>
  address !== undefined && /^(::ffff:)?127\.\d+\.\d+\.\d+$|^::1$/.test(address)

const isLocalName = (host: string | undefined): boolean =>
  host !== undefined && /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/i.test(host)
