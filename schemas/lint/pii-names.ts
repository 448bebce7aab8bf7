/** Tells by its name whether a text field is about a person or opens something. Names are all that a schema has. */

/** Words of a field's name that mean a way to reach somebody. */
const reach = new Set(['phone', 'mobile', 'msisdn', 'tel', 'telephone', 'whatsapp', 'email', 'mail'])
/** Words that mean something that opens something. */
const opens = new Set(['otp', 'passcode', 'password', 'pin', 'secret', 'token', 'private'])
/** Words for people: their `name` is a person's. */
const people = new Set([
  ...['customer', 'rider', 'driver', 'courier', 'agent', 'person', 'contact', 'recipient', 'receiver'],
  ...['sender', 'buyer', 'user', 'first', 'last', 'full', 'sur', 'given', 'family', 'nick'],
])
/** Endings that say the value is no longer the thing itself. */
const harmless = /(_masked|_last_digits|_hash|_sha256|_count|_id|_kind|_version|_length)$/

/** What a field seems to hold, in words; undefined when it is harmless. `within` is the record's name. */
export function personalMeaning(name: string, within: string): string | undefined {
  if (harmless.test(name)) return undefined
  const parts = words(name)
  if (parts.some((word) => opens.has(word))) return 'something that opens something'
  if (parts.some((word) => reach.has(word))) return 'how to reach a person'
  const ofWhom = parts.length === 1 ? words(within) : parts.slice(0, -1)
  if (parts.at(-1) === 'name' && ofWhom.some((word) => people.has(word))) return "a person's name"
  return undefined
}

/** `customerPhone` and `customer_phone` alike. */
const words = (name: string): string[] =>
  name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .split('_')
    .filter((word) => word !== '')
