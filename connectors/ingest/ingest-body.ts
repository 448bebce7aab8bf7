/** The body of an ingest request as messages: unzipped within a bound, one JSON document, an array, or JSON lines. */
import { isUtf8 } from 'node:buffer'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { arrayItems } from './json-slices.ts'

/** Why a body cannot be taken, as its HTTP status and words. */
export interface BodyProblem {
  readonly status: 400 | 413 | 415
  readonly reason: string
}

/** A body as it was sent. */
export interface EncodedBody {
  readonly body: Uint8Array
  readonly contentType: string | undefined
  readonly contentEncoding: string | undefined
}

const unzip = promisify(gunzip)

/** The texts of the messages, in order. */
export async function messagesOf(
  request: EncodedBody,
  bytesMax: number,
): Promise<readonly string[] | BodyProblem> {
  const type = request.contentType?.split(';')[0]?.trim().toLowerCase() ?? ''
  if (type.startsWith('avro/') || type.endsWith('avro')) {
    return { status: 415, reason: 'the body is Avro: set debezium.format.value=json' }
  }
  const plain = await decoded(request, bytesMax)
  if (!(plain instanceof Uint8Array)) return plain
  if (plain.length > bytesMax) return tooLarge(bytesMax)
  if (!isUtf8(plain)) return { status: 400, reason: 'the body is not UTF-8' }
  const text = Buffer.from(plain.buffer, plain.byteOffset, plain.length).toString('utf8').trim()
  if (text === '') return { status: 400, reason: 'the body is empty' }
  return split(text) ?? { status: 400, reason: 'the body is not JSON' }
}

const tooLarge = (bytesMax: number): BodyProblem => ({
  status: 413,
  reason: `the body is larger than ${bytesMax} bytes: send fewer changes at once`,
})

async function decoded(request: EncodedBody, bytesMax: number): Promise<Uint8Array | BodyProblem> {
  const encoding = request.contentEncoding?.trim().toLowerCase() ?? ''
  if (encoding === '' || encoding === 'identity') return request.body
  if (encoding !== 'gzip')
    return { status: 415, reason: `content-encoding ${encoding.slice(0, 20)}: use gzip or none` }
  try {
    return await unzip(request.body, { maxOutputLength: bytesMax })
  } catch (error) {
    const isBound = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE'
    return isBound ? tooLarge(bytesMax) : { status: 400, reason: 'the gzip data is damaged' }
  }
}

function split(text: string): readonly string[] | undefined {
  if (isJson(text)) return text.startsWith('[') ? arrayItems(text) : [text]
  // One document per line; whether each is JSON is told with its number.
  const lines = text.split('\n').map((line) => line.trim())
  return lines.length > 1 ? lines.filter((line) => line !== '') : undefined
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
