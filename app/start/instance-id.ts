/** Who an instance is in its group: a name that is made once and kept beside its state. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Random } from '../../engine/index.ts'
import { CliError } from '../cli/cli-error.ts'
import { exitCode } from '../cli/exit-code.ts'

const randomBytes = 6
const idPattern = /^[A-Za-z0-9._-]{1,100}$/

/**
 * The id kept in this data directory, made if there is none. It names the writer that the brokers fence and the place
 * in the group, so it must neither change at a restart nor be that of another instance.
 */
export function keptInstanceId(dataDirectory: string, random: Random): string {
  const file = join(dataDirectory, 'instance-id')
  if (!existsSync(file)) {
    const made = `waybill-${Buffer.from(random.bytes(randomBytes)).toString('hex')}`
    writeFileSync(file, `${made}\n`)
    return made
  }
  const kept = readFileSync(file, 'utf8').trim()
  if (idPattern.test(kept)) return kept
  throw new CliError(exitCode.usage, {
    what: 'this file should hold the name of the instance, and does not',
    place: { file },
    mend: 'delete it: the instance joins as a new one, and its state is restored from Kafka',
  })
}
