/** Avro's rules for names: which are allowed, and what a name without a dot means where it stands. */

const namePattern = /^[A-Za-z_][A-Za-z0-9_]*$/
const dottedPattern = /^[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*$/

/** The types that need no definition. */
const primitiveNames = ['null', 'boolean', 'int', 'long', 'float', 'double', 'string', 'bytes'] as const

/** One of Avro's primitive types. */
export type PrimitiveName = (typeof primitiveNames)[number]

const primitives: ReadonlySet<string> = new Set(primitiveNames)

/** Whether a name is a primitive type. */
export const isPrimitiveName = (name: string): name is PrimitiveName => primitives.has(name)

/** Whether a name without dots is allowed for a field, symbol or type. */
export const isName = (text: string): boolean => namePattern.test(text)

/** Whether every part between the dots is a name. */
export const isDottedName = (text: string): boolean => dottedPattern.test(text)

/** A namespace may also be empty: no namespace. */
export const isNamespace = (text: string): boolean => text === '' || isDottedName(text)

/** What stands behind the last dot. */
export const simpleName = (fullName: string): string => fullName.slice(fullName.lastIndexOf('.') + 1)

/** What stands before the last dot, empty without one. */
export const namespaceOf = (fullName: string): string =>
  fullName.slice(0, Math.max(0, fullName.lastIndexOf('.')))

/** The full name of a name as it is written inside a namespace. */
export const qualify = (name: string, namespace: string): string =>
  name.includes('.') || namespace === '' ? name : `${namespace}.${name}`
