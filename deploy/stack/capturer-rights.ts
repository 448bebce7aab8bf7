/** The rights of the account that captures, as the files that ship give them: the stack has none of its own. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './assets.ts'

/** The SQL that makes the account `cdc`, with the password of the same name. */
export function capturerRights(database: 'mariadb' | 'mysql' | 'postgresql'): string {
  const file = join(root, `connectors/debezium/sql/${database}.sql`)
  return readFileSync(file, 'utf8').replace('change-me', 'cdc')
}
