/**
 * The administrator's side of a registry: what is in it, which levels hold, and the two things that change it. Used
 * by people's commands; nothing that processes records registers anything.
 */
import { type CompatibilityLevel, isCompatibilityLevel } from './compatibility-level.ts'
import { type RegistryAddress, registryUrl } from './registry-address.ts'
import { RegistryError } from './registry-error.ts'
import { type RegistryLookup, registryLookup, type SchemaReference } from './registry-lookup.ts'
import { registryRequests } from './registry-requests.ts'

/** One version of a subject as a registry holds it. */
export interface RegistryVersion {
  readonly subject: string
  /** The registry's number, which need not be the number of our file. */
  readonly version: number
  readonly id: number
  readonly text: string
  readonly references: readonly SchemaReference[]
}

/** What a dry run says. */
export interface CompatibilityVerdict {
  readonly compatible: boolean
  /** Reasons, in the registry's words; some give none. */
  readonly messages: readonly string[]
}

/** Every call throws `RegistryError`. */
export interface RegistryAdmin {
  /** The address, for messages. */
  readonly where: string
  subjects(): Promise<readonly string[]>
  /** Numbers of the versions of a subject, ascending; none for a subject that is not there. */
  versions(subject: string): Promise<readonly number[]>
  /** `undefined` where there is none. */
  schema(subject: string, version: number | 'latest'): Promise<RegistryVersion | undefined>
  /** The id of exactly this schema in a subject, if it is there. */
  idOf(subject: string, text: string): Promise<number | undefined>
  /** The raw text behind an id, and which subject names it first; `undefined` where nobody knows the id. */
  schemaById(id: number): Promise<RegistryVersion | undefined>
  /**
   * The level that is in force for a subject, be it its own or the registry's. (Asked with `defaultToGlobal`:
   * without, Apicurio answers NONE for a subject without its own level although a global one is enforced.)
   */
  level(subject: string): Promise<CompatibilityLevel>
  /** Gives a subject its own level. It may be set before the subject is there. */
  setLevel(subject: string, level: CompatibilityLevel): Promise<void>
  /**
   * Registers a schema and answers its id; the same text again answers the same id. Throws `incompatible` when the
   * subject's level forbids it. Set the level first: registries differ in what they enforce without one.
   */
  register(subject: string, text: string, references?: readonly SchemaReference[]): Promise<number>
  /**
   * What the registry would say to a schema. A hint, no promise: on Apicurio the dry run is always transitive and
   * never says why, so the reasons that people see are our own checker's. A subject that is not there takes anything.
   */
  check(subject: string, text: string, references?: readonly SchemaReference[]): Promise<CompatibilityVerdict>
  close(): Promise<void>
}

/** Opens the administrator's side; connects when it is used. Throws `RegistryError` when the address is none. */
export function openRegistryAdmin(address: RegistryAddress): RegistryAdmin {
  const requests = registryRequests(address)
  const { ask } = requests
  let lookup: Promise<RegistryLookup> | undefined
  const client = (): Promise<RegistryLookup> => (lookup ??= registryLookup(address))

  const admin: RegistryAdmin = {
    where: registryUrl(address),
    subjects: async () => texts(await ask('GET', '/subjects', 'listing the subjects')),

    async versions(subject) {
      const found = await orNothing(
        ask('GET', `${pathOf(subject)}/versions`, `listing versions of ${subject}`),
      )
      return numbers(found ?? []).sort((a, b) => a - b)
    },

    async schema(subject, version) {
      const what = `reading version ${version} of ${subject}`
      return versionOf(await orNothing(ask('GET', `${pathOf(subject)}/versions/${version}`, what)), what)
    },

    idOf: async (subject, text) => (await client()).idOfText(subject, text),

    async schemaById(id) {
      const what = `reading the schema with id ${id}`
      const found = await orNothing(ask('GET', `/schemas/ids/${id}`, what))
      if (found === undefined) return undefined
      return versionOf({ ...(await nameOf(id)), ...asObject(found), id }, what)
    },

    async level(subject) {
      const path = `/config/${encodeURIComponent(subject)}?defaultToGlobal=true`
      const what = `reading the compatibility level of ${subject}`
      // Apicurio knows no level of a subject that is not there yet, whatever is asked for by default.
      const found = (await orNothing(ask('GET', path, what))) ?? (await ask('GET', '/config', what))
      const { compatibilityLevel } = asObject(found)
      if (isCompatibilityLevel(compatibilityLevel)) return compatibilityLevel
      throw unexpected(what)
    },

    async setLevel(subject, level) {
      const what = `setting the compatibility level of ${subject} to ${level}`
      await ask('PUT', `/config/${encodeURIComponent(subject)}`, what, { compatibility: level })
    },

    async register(subject, text, references) {
      return (await client()).register(
        subject,
        { text, ...(references && { references }) },
        await admin.level(subject),
      )
    },

    async check(subject, text, references) {
      // Only the form without a version looks at what registering would look at, on Confluent's.
      const path = `/compatibility${pathOf(subject)}/versions?verbose=true`
      const body = { schema: text, ...(references && { references }) }
      const answer = await orNothing(ask('POST', path, `checking a schema of ${subject}`, body))
      if (answer === undefined) return { compatible: true, messages: [] }
      const { is_compatible: compatible, messages } = asObject(answer)
      return { compatible: compatible === true, messages: texts(messages ?? []) }
    },

    async close() {
      await requests.close()
      if (lookup) (await lookup).close()
    },
  }

  /** The first subject that an id stands for; registries that cannot say lose nothing but a name in a message. */
  async function nameOf(id: number): Promise<{ subject: string; version: number }> {
    const found = await orNothing(
      ask('GET', `/schemas/ids/${id}/versions`, `asking whose schema has the id ${id}`),
    )
    const [first] = Array.isArray(found) ? (found as unknown[]) : []
    const { subject, version } = asObject(first ?? {})
    return {
      subject: typeof subject === 'string' ? subject : `schema id ${id}`,
      version: typeof version === 'number' ? version : 1,
    }
  }

  return Object.freeze(admin)
}

const pathOf = (subject: string): string => `/subjects/${encodeURIComponent(subject)}`

/** "Not there" is an answer. */
async function orNothing(asked: Promise<unknown>): Promise<unknown> {
  try {
    return await asked
  } catch (error) {
    if (error instanceof RegistryError && error.kind === 'not_found') return undefined
    throw error
  }
}

function versionOf(answer: unknown, what: string): RegistryVersion | undefined {
  if (answer === undefined) return undefined
  const { subject, version, id, schema, schemaType, references } = asObject(answer)
  if (schemaType !== undefined && schemaType !== 'AVRO') {
    throw new RegistryError(
      'invalid',
      `${what}: it is a ${String(schemaType)} schema; only Avro is read here`,
    )
  }
  if (typeof subject !== 'string' || typeof schema !== 'string') throw unexpected(what)
  if (typeof version !== 'number' || typeof id !== 'number') throw unexpected(what)
  return Object.freeze({ subject, version, id, text: schema, references: referencesOf(references) })
}

function referencesOf(value: unknown): SchemaReference[] {
  return (Array.isArray(value) ? (value as unknown[]) : []).map((entry) => {
    const { name, subject, version } = asObject(entry)
    return { name: String(name), subject: String(subject), version: Number(version) }
  })
}

const asObject = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}

const texts = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : [])

const numbers = (value: unknown): number[] => (Array.isArray(value) ? value.map(Number) : [])

const unexpected = (what: string): RegistryError =>
  new RegistryError('foreign', `${what}: the answer is none that a schema registry gives; check registry.url`)
