import { deliveryLogContract } from '../../ports/delivery-log.contract.ts'
import { createPostgresDeliveryLog } from './delivery-log.ts'
import { openEmbeddedDatabase } from './embedded-database.ts'
import { openServerDatabase } from './server-database.ts'
import type { SqlDatabase } from './sql-database.ts'
import { findPostgres, startPostgres } from './testing/postgres-server.ts'
import { createScratch, prepareTemplate } from './testing/scratch.ts'

/** Each log has a schema of its own in one database: opening a database costs more than a whole test. */
function schemas() {
  let count = 0
  return () => `contract_${count++}`
}

const scratch = createScratch()
let embedded: SqlDatabase
const embeddedSchema = schemas()
deliveryLogContract({
  name: 'PGlite in its thread',
  async start() {
    await prepareTemplate()
    embedded = await openEmbeddedDatabase({ directory: scratch.directory() })
  },
  async stop() {
    await embedded.close()
    scratch.remove()
  },
  open: (options) => createPostgresDeliveryLog({ database: embedded, schema: embeddedSchema(), ...options }),
  stories: 6,
})

const found = findPostgres()
let stopServer: () => Promise<void>
let remote: SqlDatabase
const remoteSchema = schemas()
deliveryLogContract({
  name: 'a PostgreSQL server',
  ...('skip' in found && found),
  async start() {
    if ('skip' in found) return
    const server = await startPostgres(found.bin)
    stopServer = server.stop
    remote = openServerDatabase({ url: server.url })
  },
  async stop() {
    await remote?.close()
    await stopServer?.()
  },
  open: (options) => createPostgresDeliveryLog({ database: remote, schema: remoteSchema(), ...options }),
  stories: 10,
})
