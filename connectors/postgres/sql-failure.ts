/**
 * What a failing database means to its caller, decided in one place. What is listed as passing may be tried again;
 * what is listed as lasting needs a person; everything else is a bug of ours and is thrown on as it came.
 */
import { DeliveryLogError } from '../../ports/delivery-log.ts'

/** Five characters, or two for a whole class of them. */
const passing: ReadonlyMap<string, string> = new Map([
  ['08', 'the connection broke'],
  ['40', 'it collided with another transaction'],
  ['57P', 'the server is starting, stopping or was told to end this session'],
  ['57014', 'the statement took too long'],
  ['55P03', 'a lock was not free'],
  ['53', 'the server is short of something'],
  ['25006', 'the server takes no writes at the moment (a standby?)'],
])

const lasting: ReadonlyMap<string, string> = new Map([
  ['28', 'check user and password'],
  ['3D000', 'create the database, or correct its name'],
  ['42501', 'grant this user the right to create and use the schema'],
  ['58', 'look at the disk and its permissions'],
  ['XX', 'the data may be damaged: move it away, start again and run `waybill log rebuild`'],
])

const brokenConnection = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
])

/** pg gives these without a code. */
const brokenConnectionText =
  /Connection terminated|timeout exceeded when trying to connect|Query read timeout|client has encountered a connection error/i

/** The error to throw on: a `DeliveryLogError` where it is known what to do, else `error` itself. */
export function sqlFailure(error: unknown, name: string): unknown {
  if (!(error instanceof Error) || error instanceof DeliveryLogError) return error
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  const text = error instanceof AggregateError ? error.errors.map(String).join('; ') : error.message
  const fail = (reason: 'unavailable' | 'unusable', mend: string) =>
    new DeliveryLogError(reason, `${name}: ${text}: ${mend}`, { cause: error })
  if (/No space left|ENOSPC|EDQUOT/i.test(text)) return fail('unavailable', 'make room on its disk')
  if (/Read-only file system|EROFS|Permission denied|EACCES/i.test(text)) {
    return fail('unusable', 'make the directory writable for this user')
  }
  if (brokenConnection.has(code) || brokenConnectionText.test(text)) {
    return fail('unavailable', 'it cannot be reached now; check that it runs and that the address is right')
  }
  const passes = ofCode(passing, code)
  if (passes) return fail('unavailable', passes)
  const lasts = ofCode(lasting, code)
  return lasts ? fail('unusable', lasts) : error
}

function ofCode(table: ReadonlyMap<string, string>, code: string): string | undefined {
  if (code.length !== 5) return undefined
  return table.get(code) ?? table.get(code.slice(0, 3)) ?? table.get(code.slice(0, 2))
}
