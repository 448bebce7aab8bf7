/**
 * Settings that are secrets: each comes from the environment or from a file that the configuration names. They are
 * no flags, because everybody on a machine can read the arguments of a process. No message quotes one.
 */
import { readFileSync } from 'node:fs'
import type { Problem } from '../cli/cli-error.ts'
import type { GivenSetting } from './settings-file.ts'

/** What was given, and where it comes from: the name of a variable, or a file. */
export interface GivenSecret {
  readonly text: string
  readonly name: string
  readonly from: string
}

/** Fewer can be tried out. */
const tokenCharactersMin = 16
/** As Standard Webhooks asks for. */
const signingBytesMin = 24

/** The text of the file that a setting names; `path` is that setting resolved. */
export function readSecretFile(
  setting: GivenSetting,
  path: string,
  problems: Problem[],
): GivenSecret | undefined {
  try {
    const text = readFileSync(path, 'utf8').trim()
    if (text !== '') return { text, name: `the file of ${setting.name}`, from: path }
    problems.push({
      what: `the file of ${setting.name} is empty`,
      place: { file: path },
      mend: 'write the secret into it',
    })
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause)
    problems.push({
      what: `the file of ${setting.name} cannot be read: ${code}`,
      place: { file: path },
      mend: 'check the path, and that this user may read it',
    })
  }
  return undefined
}

/** Bearer tokens for `POST /ingest`. */
export function readIngestTokens(given: GivenSecret | undefined, problems: Problem[]): readonly string[] {
  return readSeveral(
    given,
    (token) => token.length >= tokenCharactersMin && /^[\x21-\x7e]+$/.test(token),
    'holds no token that will do',
    `write at least ${tokenCharactersMin} characters without spaces; \`openssl rand -hex 32\` makes one`,
    problems,
  )
}

/** Standard Webhooks secrets for `POST /ingest`. */
export function readSigningSecrets(given: GivenSecret | undefined, problems: Problem[]): readonly string[] {
  return readSeveral(
    given,
    (secret) => {
      const encoded = secret.replace(/^whsec_/, '')
      return (
        /^[A-Za-z0-9+/]+={0,2}$/.test(encoded) && Buffer.from(encoded, 'base64').length >= signingBytesMin
      )
    },
    'holds no signing secret',
    `write "whsec_" and at least ${signingBytesMin} bytes in base64; \`openssl rand -base64 32\` makes the bytes`,
    problems,
  )
}

/** Several, so that one can be changed without a gap. */
function readSeveral(
  given: GivenSecret | undefined,
  isSound: (secret: string) => boolean,
  what: string,
  mend: string,
  problems: Problem[],
): readonly string[] {
  if (given === undefined) return []
  const secrets = given.text.split(/\s+/).filter((secret) => secret !== '')
  if (secrets.length > 0 && secrets.every(isSound)) return secrets
  problems.push({ what: `${given.name} ${what}`, mend })
  return []
}

/** The address of the delivery log's PostgreSQL server, password included. */
export function readDatabaseUrl(given: GivenSecret | undefined, problems: Problem[]): string | undefined {
  if (given === undefined) return undefined
  if (/^postgres(ql)?:\/\//.test(given.text) && URL.canParse(given.text)) return given.text
  problems.push({
    what: `${given.name} is not the address of a PostgreSQL server`,
    mend: 'write it like postgres://user:password@host:5432/database',
  })
  return undefined
}

/** The same without what is secret in it: the password, and parameters, which can hold one. */
export function maskUrl(text: string): string {
  const url = new URL(text)
  if (url.password !== '') url.password = '***'
  for (const name of url.searchParams.keys())
    if (/pass|secret|key/i.test(name)) url.searchParams.set(name, '***')
  return url.href
}
