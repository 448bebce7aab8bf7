/**
 * Looking up and registering schemas, through @kafkajs/confluent-schema-registry. Its codec and its cache are not
 * used: they parse a reader's schema for every message, and ask the registry for every message of an unknown id.
 */
import { Agent } from 'node:http'
import { Agent as TlsAgent } from 'node:https'
import type { SchemaRegistry } from '@kafkajs/confluent-schema-registry'
import type { CompatibilityLevel } from './compatibility-level.ts'

import {
  authorization,
  defaultRegistryTimeoutMs,
  type RegistryAddress,
  registryUrl,
  tlsOptions,
} from './registry-address.ts'
import { noAnswer, RegistryError, refusal } from './registry-error.ts'

/** A schema of another subject that a schema uses by name. */
export interface SchemaReference {
  readonly name: string
  readonly subject: string
  readonly version: number
}

export interface RegistryLookup {
  /** The id of exactly this schema in a subject; `undefined` where the subject does not hold it. */
  idOfText(subject: string, text: string): Promise<number | undefined>
  /**
   * Registers a schema where it is not there yet, and answers its id. The subject's own level must be `level`: this
   * client refuses another one, and where there is none it would only set one after the schema is in.
   */
  register(
    subject: string,
    schema: { readonly text: string; readonly references?: readonly SchemaReference[] },
    level: CompatibilityLevel,
  ): Promise<number>
  close(): void
}

/** Makes the client; connects when it is used. Loaded late: nobody without a registry pays for it. */
export async function registryLookup(address: RegistryAddress): Promise<RegistryLookup> {
  const { SchemaRegistry, SchemaType } = await import('@kafkajs/confluent-schema-registry')
  const where = registryUrl(address)
  const timeout = address.timeoutMs ?? defaultRegistryTimeoutMs
  const agent = where.startsWith('https:')
    ? new TlsAgent({ keepAlive: true, ...tlsOptions(address) })
    : new Agent({ keepAlive: true })
  const headers = authorization(address.auth)
  const client: SchemaRegistry = new SchemaRegistry({
    host: where,
    agent,
    // Who waits, and for how long, is decided by whoever asks.
    retry: { retries: 0 },
    middlewares: [() => ({ request: async (asked) => asked.enhance({ headers, timeout }) })],
  })

  return {
    async idOfText(subject, text) {
      try {
        return await client.getRegistryIdBySchema(subject, { type: SchemaType.AVRO, schema: text })
      } catch (error) {
        // The one error of this call that it words itself, without a status: 404.
        if (error instanceof Error && error.name === 'ConfluentSchemaRegistryError') return undefined
        throw translated(`looking up a schema of ${subject}`, where, error)
      }
    },

    async register(subject, { text, references }, level) {
      try {
        const { id } = await client.register(
          { type: SchemaType.AVRO, schema: text, ...(references && { references: [...references] }) },
          // The client's own list of levels is an enum of the same words.
          { subject, compatibility: level as never },
        )
        return id
      } catch (error) {
        if (error instanceof Error && error.name === 'ConfluentSchemaRegistryCompatibilityError') {
          const what = `registering a schema of ${subject}: the subject has no level of its own, or another one`
          throw new RegistryError('weak_level', `${what} than ${level}; set its level first`, {
            cause: error,
          })
        }
        throw translated(`registering a schema of ${subject}`, where, error)
      }
    },

    close: () => agent.destroy(),
  }
}

/**
 * The client's errors as ours. It gives a failed connection the status 400 and words of its own, which no registry
 * uses: those always send a message of theirs.
 */
function translated(what: string, where: string, error: unknown): RegistryError {
  if (!(error instanceof Error)) return noAnswer(what, where, error)
  const said = error.message.replace(/^Confluent_Schema_Registry - /, '')
  const failed = /^Error, status 400: (.*)$/s.exec(said)
  if (failed) return noAnswer(what, where, new Error(failed[1], { cause: error }))
  if ('status' in error && typeof error.status === 'number') {
    return refusal({ what, where }, { status: error.status, message: said }, error)
  }
  return new RegistryError('invalid', `${what}: ${said}`, { cause: error })
}
