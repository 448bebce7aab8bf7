/** Opens a delivery log together with the database that it alone uses. */
import type { Backlog, DeliveryLog } from '../../ports/delivery-log.ts'
import { createPostgresDeliveryLog } from './delivery-log.ts'
import { openEmbeddedDatabase } from './embedded-database.ts'
import { openServerDatabase } from './server-database.ts'
import type { SqlDatabase } from './sql-database.ts'

export interface OpenDeliveryLogOptions {
  /** PGlite in a directory, or a server by URL. */
  readonly place: { readonly directory: string } | { readonly url: string }
  readonly schema?: string
  readonly backlog?: Backlog
}

/** Rejects with a `DeliveryLogError` that says what is wrong and what to do. */
export async function openDeliveryLog({ place, ...options }: OpenDeliveryLogOptions): Promise<DeliveryLog> {
  const database: SqlDatabase = 'url' in place ? openServerDatabase(place) : await openEmbeddedDatabase(place)
  try {
    const log = await createPostgresDeliveryLog({ database, ...options })
    return { ...log, close: database.close }
  } catch (error) {
    await database.close()
    throw error
  }
}
