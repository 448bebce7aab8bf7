/**
 * Schemas that others registered, by id: asked for once, kept for good. What nobody knows is remembered for a while,
 * and a registry that cannot be asked is left alone for a while; neither is ever guessed at.
 */
import type { Clock, Report } from '../../engine/index.ts'
import type { RegisteredSchema } from '../../schemas/index.ts'
import type { RegistryVersion } from './registry-admin.ts'
import { RegistryError } from './registry-error.ts'

export interface ForeignSchemasOptions {
  /** Asks the registry. */
  schemaById(id: number): Promise<RegistryVersion | undefined>
  /** Real time. */
  readonly clock: Clock
  readonly report: Report
  /** How long an id that nobody knew is not asked for again. */
  readonly unknownForMs?: number
}

export interface ForeignSchemas {
  known(id: number): RegisteredSchema | undefined
  /** As `Registry.fetch` promises. */
  fetch(id: number): Promise<RegisteredSchema | undefined>
}

/** Long enough that a broken producer costs a request a minute, short enough that a late registration is noticed. */
const defaultUnknownForMs = 60_000

/** Ids that nobody knew, at most so many: corrupt bytes look like ids, and each looks like another one. */
const unknownMax = 10_000

/** Pauses after failed questions: doubled from the first to the longest. */
const firstPauseMs = 500
const longestPauseMs = 15_000

/** Makes the cache. */
export function foreignSchemas(options: ForeignSchemasOptions): ForeignSchemas {
  const { clock, report } = options
  const unknownForMs = options.unknownForMs ?? defaultUnknownForMs
  const schemas = new Map<number, RegisteredSchema>()
  /** When an unknown id may be asked for again; in the order in which they were asked. */
  const unknownUntil = new Map<number, number>()
  const running = new Map<number, Promise<RegisteredSchema | undefined>>()
  let failures = 0
  let trouble: { readonly error: unknown; readonly until: number } | undefined

  function rememberUnknown(id: number): void {
    unknownUntil.delete(id)
    unknownUntil.set(id, clock.now() + unknownForMs)
    const [oldest] = unknownUntil.keys()
    if (unknownUntil.size > unknownMax && oldest !== undefined) unknownUntil.delete(oldest)
  }

  async function ask(id: number): Promise<RegisteredSchema | undefined> {
    try {
      const found = await options.schemaById(id)
      failures = 0
      trouble = undefined
      if (found && found.references.length > 0)
        return unreadable(id, 'it refers to schemas of other subjects')
      if (!found) return unreadable(id, undefined)
      const { subject, version, text } = found
      const schema = Object.freeze({ id, subject, version, text })
      schemas.set(id, schema)
      return schema
    } catch (error) {
      if (error instanceof RegistryError && error.kind === 'invalid') return unreadable(id, error.message)
      const pauseMs = Math.min(firstPauseMs * 2 ** failures, longestPauseMs)
      failures++
      trouble = { error, until: clock.now() + pauseMs }
      if (failures === 1) {
        report(
          `schema id ${id} is new and the registry cannot be asked; its records wait, others go on`,
          error,
        )
      }
      throw error
    } finally {
      running.delete(id)
    }
  }

  function unreadable(id: number, why: string | undefined): undefined {
    rememberUnknown(id)
    report(why === undefined ? `nobody knows schema id ${id}` : `schema id ${id} cannot be used: ${why}`)
    return undefined
  }

  return {
    known: (id) => schemas.get(id),
    fetch(id) {
      const schema = schemas.get(id)
      if (schema) return Promise.resolve(schema)
      const askedAlready = running.get(id)
      if (askedAlready) return askedAlready
      if ((unknownUntil.get(id) ?? 0) > clock.now()) return Promise.resolve(undefined)
      if (trouble && trouble.until > clock.now()) return Promise.reject(trouble.error)
      const asked = ask(id)
      running.set(id, asked)
      return asked
    },
  }
}
