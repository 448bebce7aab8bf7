/** Reads what an endpoint wants beside the signed message: headers of its own, and our certificate in the handshake. */
import { createSecureContext } from 'node:tls'
import { headerProblem, partnerHeadersMax } from '../../connectors/webhook/reserved-headers.ts'
import type { SendCertificate } from '../../ports/sender.ts'
import type { Fields } from './fields.ts'
import { type EndpointSettings, endpointDefaults } from './partner-settings.ts'
import type { PartnerSources } from './partner-sources.ts'

const headersMend =
  'write "headers: { x-api-key: { env: NAME } }", or the value itself where the file is private'

/** Names and values; a value stands in the file, or in an environment variable that it names. */
export function readHeaders(
  fields: Fields,
  { env }: Pick<PartnerSources, 'env'>,
): EndpointSettings['headers'] | undefined {
  if (!fields.has('headers')) return endpointDefaults.headers
  const raw = fields.raw('headers')
  const problem = (what: string, mend: string): undefined => {
    fields.problem('headers', what, mend)
    return undefined
  }
  if (!isMap(raw)) return problem('headers must be a map', headersMend)
  const entries = Object.entries(raw)
  if (entries.length > partnerHeadersMax) {
    return problem(`${entries.length} headers, ${partnerHeadersMax} is the most`, 'drop some')
  }
  const headers: { name: string; value: string }[] = []
  for (const [name, given] of entries) {
    const value = isMap(given)
      ? env[String(given.env)]
      : typeof given === 'object'
        ? undefined
        : String(given)
    if (value === undefined || value === '') return problem(`the header "${name}" has no value`, headersMend)
    const wrong = headerProblem(name, value)
    if (wrong !== undefined) {
      const mend = 'reserved are webhook-…, waybill-… and those that frame a message; values are plain ASCII'
      return problem(wrong, mend)
    }
    headers.push({ name: name.toLowerCase(), value })
  }
  if (new Set(headers.map(({ name }) => name)).size < headers.length) {
    return problem('a header is there twice, in upper and lower case', 'keep one of them')
  }
  return headers
}

const certificateMend =
  'write "client_certificate: { certificate_file: acme.pem, private_key_file: acme-key.pem }", paths relative to this file'

/** The certificate with its chain and its key, out of two files. */
export function readClientCertificate(
  fields: Fields,
  { readFile }: Pick<PartnerSources, 'readFile'>,
): SendCertificate | null | undefined {
  if (!fields.has('client_certificate')) return endpointDefaults.clientCertificate
  const raw = fields.raw('client_certificate')
  const problem = (what: string, mend = certificateMend): undefined => {
    fields.problem('client_certificate', what, mend)
    return undefined
  }
  if (!isMap(raw)) return problem('client_certificate must be a map')
  const { certificate_file: certificateFile, private_key_file: keyFile } = raw
  if (typeof certificateFile !== 'string' || typeof keyFile !== 'string') {
    return problem('client_certificate needs certificate_file and private_key_file')
  }
  const certificate = readFile(certificateFile)
  const privateKey = readFile(keyFile)
  if (certificate === undefined) return problem(`${certificateFile} cannot be read`)
  if (privateKey === undefined) return problem(`${keyFile} cannot be read`)
  try {
    createSecureContext({ cert: certificate, key: privateKey })
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    return problem(
      `certificate and key do not work together: ${why}`,
      'both are PEM, the key without a passphrase',
    )
  }
  return { certificate, privateKey }
}

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
