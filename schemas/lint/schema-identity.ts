/** Tells whether two schema texts are the same schema: everything but docs, the order of keys, white space and how names are put. */
import { createHash } from 'node:crypto'
import { isPrimitiveName, namespaceOf, qualify } from '../compatibility/names.ts'

/** Equal for equal schemas, whoever wrote the text; undefined for what is no JSON. */
export function schemaIdentity(text: string): string | undefined {
  try {
    const json: unknown = JSON.parse(text)
    return createHash('sha256')
      .update(canonical(withFullNames(json, '')))
      .digest('hex')
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** A default may hold a member called doc: only docs of definitions and fields are left out, and those are text. */
function canonical(json: unknown): string {
  return JSON.stringify(json, (key, value: unknown) => {
    if (key === 'doc' && typeof value === 'string') return undefined
    if (!isObject(value)) return value
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
  })
}

const named = new Set<unknown>(['record', 'error', 'enum', 'fixed'])

/** Registries put names as they like: Apicurio gives `dev.waybill.HealthWindow` back as `HealthWindow` in its namespace. */
function withFullNames(schema: unknown, namespace: string): unknown {
  if (typeof schema === 'string') return isPrimitiveName(schema) ? schema : qualify(schema, namespace)
  if (Array.isArray(schema)) return schema.map((branch) => withFullNames(branch, namespace))
  if (!isObject(schema)) return schema
  if (named.has(schema.type) && typeof schema.name === 'string')
    return definition(schema, schema.name, namespace)
  const { type, items, values } = schema
  return {
    ...schema,
    ...(type !== undefined && type !== 'array' && type !== 'map' && { type: withFullNames(type, namespace) }),
    ...(items !== undefined && { items: withFullNames(items, namespace) }),
    ...(values !== undefined && { values: withFullNames(values, namespace) }),
  }
}

function definition(schema: Record<string, unknown>, given: string, enclosing: string): unknown {
  const { namespace: own, ...rest } = schema
  const name = qualify(given, typeof own === 'string' ? own : enclosing)
  const inside = namespaceOf(name)
  const { aliases, fields } = rest
  return {
    ...rest,
    name,
    ...(Array.isArray(aliases) && {
      aliases: aliases.map((alias) => (typeof alias === 'string' ? qualify(alias, inside) : alias)),
    }),
    ...(Array.isArray(fields) && {
      fields: fields.map((field) =>
        isObject(field) ? { ...field, type: withFullNames(field.type, inside) } : field,
      ),
    }),
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
