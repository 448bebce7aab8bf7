// A receiver of Waybill's webhooks: npm install standardwebhooks; WEBHOOK_SECRET=whsec_… PORT=8000 node receiver.mjs
import { createServer } from 'node:http'
import { Webhook } from 'standardwebhooks'

const webhook = new Webhook(process.env.WEBHOOK_SECRET)
const seen = new Set() // In earnest: a table with webhook-id as its unique key, written in the transaction of your work.

createServer(async (request, response) => {
  const body = Buffer.concat(await request.toArray()) // The bytes as they came: parsing first breaks the signature.
  const id = request.headers['webhook-id']
  let event
  try {
    event = webhook.verify(body.toString('utf8'), request.headers) // Throws also when it is older than five minutes.
  } catch {
    return response.writeHead(401).end()
  }
  if (!seen.has(id)) {
    seen.add(id)
    console.log(`${id} ${event.event} of order ${event.order_id}`) // Your work; long work belongs in a queue.
  }
  response.writeHead(204).end() // A repeat is acknowledged too, or it comes again.
}).listen(process.env.PORT ?? 8000, '127.0.0.1', () => console.log('listening'))
