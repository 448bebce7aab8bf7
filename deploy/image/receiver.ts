/**
 * The partner of the compose stack: takes webhooks on $PORT, checks their Standard Webhooks signature with
 * $SIGNING_SECRET, and prints one line for each.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'

const { PORT = '9000', SIGNING_SECRET = '' } = process.env
const key = Buffer.from(SIGNING_SECRET.replace(/^whsec_/, ''), 'base64')
const bodyBytesMax = 1024 * 1024

async function bodyOf(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > bodyBytesMax) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** Any of the signatures in the header may be the right one: a secret that is being replaced signs beside the old. */
function isSigned({ headers }: IncomingMessage, body: Buffer): boolean {
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body.toString('utf8')}`
  const wanted = createHmac('sha256', key).update(signed).digest()
  return String(headers['webhook-signature'] ?? '')
    .split(' ')
    .filter((part) => part.startsWith('v1,'))
    .map((part) => Buffer.from(part.slice(3), 'base64'))
    .some((given) => given.length === wanted.length && timingSafeEqual(given, wanted))
}

function described(body: Buffer): string {
  const { event, order_id, order_sequence } = JSON.parse(body.toString('utf8')) as Record<string, unknown>
  return `${event} of order ${order_id} (${order_sequence ?? '-'})`
}

const server = createServer(async (request, response) => {
  if (request.method === 'GET') return response.end('ok')
  const body = await bodyOf(request).catch(() => undefined)
  if (!body) return response.writeHead(413).end()
  const status = isSigned(request, body) ? 200 : 401
  const what = status === 200 ? described(body) : 'a signature that does not fit'
  process.stdout.write(`${request.url} ${request.headers['webhook-id']} ${what}\n`)
  return response.writeHead(status).end()
})
server.listen(Number(PORT), () => process.stdout.write(`receiving on port ${PORT}\n`))
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    server.close()
    server.closeAllConnections()
  })
}
