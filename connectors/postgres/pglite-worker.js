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

/**
 * Parse, Bind, Execute and Sync of a statement whose parameters are bytes. PGlite's own way would copy them four
 * times over, and the garbage costs as much as the rows.
 */
function rawMessage(text, values) {
  const query = Buffer.from(`${text}\0`)
  const valuesBytes = values.reduce((sum, value) => sum + 4 + value.length, 0)
  const parseBytes = 4 + 1 + query.length + 2
  const bindBytes = 4 + 1 + 1 + 2 + 2 + 2 + valuesBytes + 2
  const message = Buffer.allocUnsafeSlow(1 + parseBytes + 1 + bindBytes + 10 + 5)
  let at = 0
  const letter = (kind, bytes) => {
    at = message.writeInt32BE(bytes, message.write(kind, at, 'latin1') + at)
  }
  letter('P', parseBytes)
  at = message.writeUInt8(0, at)
  at += query.copy(message, at)
  at = message.writeInt16BE(0, at)
  letter('B', bindBytes)
  at = message.writeInt16BE(0, at)
  // All of them in binary.
  at = message.writeInt16BE(1, at)
  at = message.writeInt16BE(1, at)
  at = message.writeInt16BE(values.length, at)
  for (const value of values) {
    at = message.writeInt32BE(value.length, at)
    message.set(value, at)
    at += value.length
  }
  at = message.writeInt16BE(0, at)
  letter('E', 9)
  at = message.writeUInt8(0, at)
  at = message.writeInt32BE(0, at)
  letter('S', 4)
  return message
}

const isRaw = (values) => values.length > 0 && values.every((value) => value instanceof Uint8Array)

async function inTransaction(database, statements) {
  const results = []
  await database.transaction(async (transaction) => {
    for (const { text, values = [] } of statements) {
      if (isRaw(values)) {
        await database.execProtocolStream(rawMessage(text, values), { syncToFs: false })
        results.push([])
      } else results.push((await transaction.query(text, values)).rows)
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
