/**
 * Masks phone numbers: country code, first two and last three digits of the national number, the rest `x`.
 * Numbers are read with libphonenumber-js: where the country code ends, what a trunk `0` or an extension is and how
 * a country groups its digits are facts of a numbering plan, which own code would get wrong outside India.
 */
import { type CountryCode, isSupportedCountry, parsePhoneNumberFromString } from 'libphonenumber-js/min'

/** A national number shorter than this would be readable from its five open digits. */
const maskableDigitsMin = 8
/** What hides an unreadable number is no longer than this, whatever stood there. */
const hiddenLengthMax = 12

/** Whether libphonenumber knows the region, e.g. `IN`. */
export const isKnownRegion = (region: string): boolean => isSupportedCountry(region)

/**
 * `+91 98xxx xx214`. Null for an empty or blank text; all `x` for what is no phone number or too short to mask.
 * What is masked already stays as it is, so that masking twice is harmless.
 */
export function maskPhone(text: string | null, defaultRegion: string): string | null {
  const trimmed = text?.trim() ?? ''
  if (trimmed === '') return null
  if (isMaskedPhone(trimmed)) return trimmed
  const number = readPhone(trimmed, defaultRegion)
  if (!number) return 'x'.repeat(Math.min(hiddenLengthMax, [...trimmed.replace(/\s/g, '')].length))
  const grouped = number.grouped.slice(`+${number.countryCode} `.length)
  return `+${number.countryCode} ${maskMiddle(grouped, number.national.length)}`
}

/** The last three digits, or null where they would be too much of the number. */
export function lastDigits(text: string | null, defaultRegion: string): string | null {
  const number = text === null ? undefined : readPhone(text.trim(), defaultRegion)
  return number ? number.national.slice(-3) : null
}

/** Whether a text has the shape that `maskPhone` produces. */
export function isMaskedPhone(text: string): boolean {
  if (/^x+$/.test(text)) return true
  const masked = /^\+\d{1,3} ([\dx ()./-]+)$/.exec(text)
  return masked?.[1] !== undefined && /^\d{2}x{3,}\d{3}$/.test(masked[1].replace(/[^\dx]/g, ''))
}

interface ReadPhone {
  readonly countryCode: string
  readonly national: string
  readonly grouped: string
}

function readPhone(text: string, defaultRegion: string): ReadPhone | undefined {
  const parsed = parsePhoneNumberFromString(text, regionOf(defaultRegion))
  if (!parsed || parsed.nationalNumber.length < maskableDigitsMin) return undefined
  return {
    countryCode: parsed.countryCallingCode,
    national: parsed.nationalNumber,
    grouped: parsed.format('INTERNATIONAL', { formatExtension: (formatted) => formatted }),
  }
}

function regionOf(name: string): CountryCode | undefined {
  return isSupportedCountry(name) ? name : undefined
}

/** Replaces every digit of a grouped number but the first two and the last three. */
function maskMiddle(grouped: string, digits: number): string {
  let seen = 0
  return grouped.replace(/\d/g, (digit) => {
    seen += 1
    return seen <= 2 || seen > digits - 3 ? digit : 'x'
  })
}
