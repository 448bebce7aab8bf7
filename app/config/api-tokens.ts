/** Reads the tokens of the API out of the configuration file: names, hashes, and what each may see. */
import type { ApiToken } from '../../api/auth.ts'
import { idMend, idPattern } from './endpoint-fields.ts'
import type { Fields } from './fields.ts'
import type { SettingsFile } from './settings-file.ts'

/** The tokens of the configuration file; what is wrong with one is among the file's problems. */
export function readApiTokens({ group, reader }: SettingsFile): ApiToken[] {
  const api = group('api')
  if (!reader || api?.has('tokens') !== true) return []
  const tokens: ApiToken[] = []
  for (const [index, item] of (api.list('tokens', '') ?? []).entries()) {
    const path = ['api', 'tokens', index]
    const fields = reader.fields(item, path, ['name', 'sha256', 'scope'], 'a token')
    const token = fields && readToken(fields)
    if (!token) continue
    if (tokens.some(({ sha256 }) => sha256 === token.sha256))
      reader.problem(path, `the token "${token.name}" is there twice`, 'drop one of the two')
    tokens.push(token)
  }
  return tokens
}

function readToken(fields: Fields): ApiToken | undefined {
  const name = fields.text('name', 'write who uses it')
  const sha256 = fields.text('sha256', '`waybill tokens new NAME` prints it')?.toLowerCase()
  const scope = readScope(fields)
  if (sha256 !== undefined && !/^[0-9a-f]{64}$/.test(sha256)) {
    const mend =
      'write the 64 hexadecimal digits that `waybill tokens new NAME` prints, never the token itself'
    fields.problem('sha256', 'this is not a SHA-256', mend)
    return undefined
  }
  return name === undefined || sha256 === undefined || scope === undefined
    ? undefined
    : { name, sha256, scope }
}

function readScope(fields: Fields): ApiToken['scope'] | undefined {
  const mend = 'write "scope: operator", or "scope: { partner: ID }"'
  if (!fields.has('scope')) {
    fields.problem('scope', '"scope" is missing', mend)
    return undefined
  }
  const raw = fields.raw('scope')
  if (raw === 'operator') return raw
  const entries = typeof raw === 'object' && raw !== null ? Object.entries(raw) : []
  const [key, partner] = entries[0] ?? []
  if (entries.length !== 1 || key !== 'partner') {
    fields.problem('scope', 'this is not a scope', mend)
    return undefined
  }
  if (idPattern.test(String(partner))) return { partnerId: String(partner) }
  fields.problem('scope', `the partner "${String(partner)}" will not do`, idMend)
  return undefined
}
