/** Rules over several settings: each is sound alone, but not beside the other. */
import type { Problem } from '../cli/cli-error.ts'
import { type Role, roles } from './roles.ts'

/** What of the configuration has to fit together. */
export interface Looked {
  readonly kafka: object | undefined
  readonly roles: readonly Role[]
  readonly api: object | undefined
  readonly databaseUrl: string | undefined
}

export function checkTogether({ kafka, roles: chosen, api, databaseUrl }: Looked): Problem[] {
  const found: Problem[] = []
  if (!kafka && chosen.length < roles.length) {
    found.push({
      what: `roles names ${chosen.join(', ')} alone, but nobody else could do the rest on the embedded log`,
      mend: 'leave roles out, or name kafka.brokers',
    })
  }
  const needsLog = api !== undefined && (chosen.includes('log') || chosen.includes('api'))
  if (kafka && needsLog && databaseUrl === undefined) {
    found.push({
      what: 'on Kafka the delivery log is shared by all instances, and no PostgreSQL server is named',
      mend: 'set WAYBILL_DATABASE_URL or delivery_log.database_url_file, or do without it: --no-api',
    })
  }
  return found
}
