/** What must never be found in clear: collected from the records themselves, with every form in which it could hide. */
import type { CapturedRecord } from '../../connectors/ingest/captured-record.ts'

/** One secret and the byte strings that would give it away. */
export interface KnownSecret {
  readonly kind: 'otp' | 'phone' | 'name'
  readonly text: string
  /** Looked for anywhere. */
  readonly forms: readonly string[]
  /** Looked for where it stands alone: six digits may stand in a UUID by chance. */
  readonly alone?: string
}

interface Columns {
  readonly [column: string]: unknown
}

/** So many digits do not stand in UUIDs or ciphertext by chance. */
const uniqueDigits = 8
/** So many are looked for where they stand alone; fewer only with their name. */
const aloneDigits = 6

/**
 * The secrets of captured changes: one-time passwords, phones and customers' names. What also stands in a column
 * that is no secret (a rider's name) cannot be looked for; so many are left that it does not matter.
 */
export function secretsIn(records: readonly CapturedRecord[]): KnownSecret[] {
  const secrets = new Map<string, KnownSecret>()
  const openTexts: string[] = []
  const add = (kind: KnownSecret['kind'], value: unknown) => {
    const text = typeof value === 'string' ? value.trim() : ''
    if (text !== '') secrets.set(`${kind} ${text}`, madeUp(kind, text))
  }
  for (const { value } of records) {
    if (typeof value !== 'string') continue
    for (const row of rowsOf(value)) {
      const { otp, customer_phone, customer_name, rider_phone, ...open } = row
      add('otp', otp)
      add('phone', customer_phone)
      add('phone', rider_phone)
      add('name', customer_name)
      openTexts.push(...Object.values(open).map(String))
    }
    openTexts.push(value.replaceAll(secretMembers, ''))
  }
  const inTheOpen = openTexts.join('\n')
  return [...secrets.values()].filter(({ text, forms }) => forms.length > 0 && !inTheOpen.includes(text))
}

const secretMembers = /"(?:otp|customer_phone|customer_name|rider_phone)":(?:"(?:[^"\\]|\\.)*"|[^,}]*)/g

/** A secret with all its forms. */
export function madeUp(kind: KnownSecret['kind'], text: string): KnownSecret {
  const isAlone = kind === 'otp' && /^\d+$/.test(text) && text.length >= aloneDigits
  return { kind, text, forms: formsOf(kind, text), ...(isAlone && { alone: text }) }
}

function rowsOf(value: string): Columns[] {
  try {
    const message = JSON.parse(value)
    const body = message?.payload ?? message
    return [body?.before, body?.after].filter((row) => typeof row === 'object' && row !== null)
  } catch {
    // A broken record holds secrets that nobody can name; tests make some up.
    return []
  }
}

function formsOf(kind: KnownSecret['kind'], text: string): string[] {
  switch (kind) {
    case 'otp': {
      const named = [`"otp":"${text}"`, `\\"otp\\":\\"${text}\\"`, `otp=${text}`]
      return /^\d+$/.test(text) && text.length >= uniqueDigits ? [...named, text, ...base64sOf(text)] : named
    }
    case 'phone': {
      const digits = text.replaceAll(/\D/g, '')
      // What is no phone number ("n/a", "12345") is in no way personal, and too short to look for.
      if (digits.length < 10) return []
      const national = digits.slice(-10)
      return [
        text,
        digits,
        national,
        `${national.slice(0, 5)} ${national.slice(5)}`,
        ...base64sOf(national),
      ].filter((form) => form.length >= 10)
    }
    case 'name':
      return [...text].length < 4 ? [] : [text, ...base64sOf(text)]
  }
}

/** The base64 of a text that stands anywhere in longer bytes: at each of the three alignments, cut to what is sure. */
function base64sOf(text: string): string[] {
  const bytes = Buffer.from(text, 'utf8')
  return [0, 1, 2].map((shift) => {
    const encoded = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64')
    const surely = Math.floor(((bytes.length + shift) * 8) / 6)
    return encoded.slice(Math.ceil((shift * 8) / 6), surely)
  })
}
