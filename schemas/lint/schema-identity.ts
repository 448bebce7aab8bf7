/** Tells whether two schema texts are the same schema: everything but docs, the order of keys and white space. */
import { createHash } from 'node:crypto'

/** Equal for equal schemas, whoever wrote the text; undefined for what is no JSON. */
export function schemaIdentity(text: string): string | undefined {
  try {
    const json: unknown = JSON.parse(text)
    return createHash('sha256').update(canonical(json)).digest('hex')
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** A default may hold a member called doc: only docs of definitions and fields are left out, and those are text. */
function canonical(json: unknown): string {
  return JSON.stringify(json, (key, value: unknown) => {
    if (key === 'doc' && typeof value === 'string') return undefined
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
  })
}
