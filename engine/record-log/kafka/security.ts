/** How brokers are talked to: TLS and SASL as kafkajs takes them, and what to call us in messages. */
import type { ConnectionOptions } from 'node:tls'

/** TLS: `true` for the system's certificate authorities, else options of `tls.connect`. */
export type KafkaTls =
  | true
  | Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'passphrase' | 'rejectUnauthorized' | 'servername'>

export type KafkaSasl =
  | {
      readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
      readonly username: string
      readonly password: string
    }
  | {
      readonly mechanism: 'oauthbearer'
      /** Called for every connection, and again before the session of one ends. */
      readonly oauthBearerProvider: () => Promise<{ readonly value: string }>
    }

export interface KafkaSecurity {
  readonly tls?: KafkaTls | undefined
  readonly sasl?: KafkaSasl | undefined
}

/** Who the broker takes us for, as its ACLs would name it where we can know that. */
export function principalOf({ tls, sasl }: KafkaSecurity): string {
  if (sasl?.mechanism === 'oauthbearer') return 'the subject of the OAuth token'
  if (sasl) return `User:${sasl.username}`
  if (typeof tls === 'object' && tls.cert !== undefined) return "the subject of the client's certificate"
  return 'User:ANONYMOUS'
}
