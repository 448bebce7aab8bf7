/** Reads how requests to an endpoint are signed: secrets that are given, and how one is made and replaced. */
import { signer } from '../../connectors/webhook/standard-webhooks.ts'
import { parseDuration } from './duration.ts'
import type { Fields } from './fields.ts'
import { endpointDefaults } from './partner-settings.ts'

const secretMend =
  'write "whsec_" and 24 to 64 bytes in base64, or "whsk_" and an ed25519 key, or leave it out to have one made'

/** In clear; empty when none is given. */
export function readSecrets(
  fields: Fields,
  env: Readonly<Record<string, string | undefined>>,
): readonly string[] | undefined {
  const given = ['secret', 'secrets', 'secret_env'].filter((name) => fields.has(name))
  if (given.length > 1) {
    fields.problem(given[1], `both "${given[0]}" and "${given[1]}" are given`, 'keep one of them')
    return undefined
  }
  const name = given[0]
  if (name === undefined) return []
  const raw = fields.raw(name)
  if (name === 'secret_env') return readSecretFromEnvironment(fields, String(raw), env)
  const secrets: readonly unknown[] = name === 'secrets' && Array.isArray(raw) ? raw : [raw]
  if (secrets.length === 0 || secrets.length > 5) {
    fields.problem(name, 'one to five secrets are possible', 'the first signs, the others while they overlap')
    return undefined
  }
  if (secrets.every(isSecret)) return secrets
  fields.problem(name, 'this is not a signing secret', secretMend)
  return undefined
}

function readSecretFromEnvironment(
  fields: Fields,
  variable: string,
  env: Readonly<Record<string, string | undefined>>,
): readonly string[] | undefined {
  const value = env[variable]
  if (value === undefined || value === '') {
    const what = `the environment variable ${variable} is not set`
    fields.problem('secret_env', what, 'set it to the whsec_… secret')
    return undefined
  }
  if (isSecret(value)) return [value]
  fields.problem('secret_env', `${variable} holds no signing secret`, secretMend)
  return undefined
}

/** A Standard Webhooks secret: `whsec_` and 24 to 64 bytes in base64, or `whsk_` and an ed25519 key. */
export function isSecret(value: unknown): value is string {
  if (typeof value !== 'string') return false
  if (value.startsWith('whsk_')) return canSign(value)
  if (!/^whsec_[A-Za-z0-9+/]+={0,2}$/.test(value)) return false
  const bytes = Buffer.from(value.slice('whsec_'.length), 'base64').length
  return bytes >= 24 && bytes <= 64
}

function canSign(secret: string): boolean {
  try {
    signer(secret)
    return true
  } catch {
    // It throws for what is no key, and for nothing else; its message says no more than ours.
    return false
  }
}

/** Which made secret is wanted. */
export function readSecretNumber(fields: Fields): number | undefined {
  if (!fields.has('secret_number')) return endpointDefaults.secretNumber
  const raw = fields.raw('secret_number')
  if (typeof raw === 'number' && Number.isInteger(raw) && raw >= 1 && raw <= 1_000_000) return raw
  const mend = 'write 2 to have the first secret replaced, then 3, and so on'
  fields.problem('secret_number', 'secret_number must be a whole number from 1', mend)
  return undefined
}

const overlapMaxMs = 30 * 86_400_000

/** How long a replaced secret goes on signing. */
export function readSecretOverlap(fields: Fields): number | undefined {
  if (!fields.has('secret_overlap')) return endpointDefaults.secretOverlapMs
  const ms = parseDuration(fields.raw('secret_overlap'))
  if (ms !== undefined && ms >= 0 && ms <= overlapMaxMs) return Math.round(ms)
  const mend = 'write e.g. "secret_overlap: 24h"; 0s stops the old secret at once'
  fields.problem('secret_overlap', 'the overlap must be 0s to 30d', mend)
  return undefined
}
