// The thread in which PGlite runs: a query blocks the thread that it is made in, and that must not be the one
// with the heartbeats. Plain JavaScript, because it is started as a file of its own from source and build alike.
import { parentPort, workerData } from 'node:worker_threads'
import { PGlite } from '@electric-sql/pglite'

const describe = (error) => ({
  message: error instanceof Error ? error.message : String(error),
  code: typeof error?.code === 'string' ? error.code : undefined,
  stack: error instanceof Error ? error.stack : undefined,
})

/** An error of PostgreSQL's own has a five-letter code; after any other one PGlite's memory cannot be trusted. */
const isOrderly = (error) => typeof error?.code === 'string' && /^[0-9A-Z]{5}$/.test(error.code)

async function inTransaction(database, statements) {
  const results = []
  await database.transaction(async (transaction) => {
    for (const { text, values } of statements) {
      results.push((await transaction.query(text, values ?? [])).rows)
    }
  })
  return results
}

async function answer(database, { id, statements, atomic }) {
  try {
    if (atomic) return { id, results: await inTransaction(database, statements) }
    const [{ text, values }] = statements
    return { id, results: [(await database.query(text, values ?? [])).rows] }
  } catch (error) {
    return { id, error: describe(error), broken: !isOrderly(error) }
  }
}

let database
try {
  database = await PGlite.create(workerData)
} catch (error) {
  parentPort.postMessage({ failed: describe(error) })
}
if (database) {
  parentPort.postMessage({ ready: true })
  parentPort.on('message', async (message) => {
    if (message.close) {
      await database.close()
      parentPort.postMessage({ closed: true })
      parentPort.close()
      return
    }
    const reply = await answer(database, message)
    parentPort.postMessage(reply)
    if (reply.broken) process.exit(1)
  })
}
