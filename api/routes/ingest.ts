/** `POST /ingest`: the door for changes of the source. What is behind it is not the API's business. */
import { Type } from 'typebox'
import { answer } from '../contract/fields.ts'
import { ingestedBody } from '../contract/operations.ts'
import type { IngestDoor } from '../options.ts'
import { type Api, commonFailures, overloaded, unreadable } from '../requests.ts'

/** As sent. What it may grow to when it is unzipped is for the door to say. */
const bodyBytesMax = 16 * 1024 * 1024

export function addIngest(app: Api, door: IngestDoor): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  const { 403: _, ...failures } = commonFailures
  app.post(
    '/ingest',
    {
      config: { access: 'public' },
      bodyLimit: bodyBytesMax,
      schema: {
        operationId: 'ingest',
        tags: ['ingest'],
        summary: 'Bring changes in',
        description:
          'As the HTTP sink of Debezium Server sends them: one change, a JSON array or JSON lines, plain, gzip, or ' +
          'as CloudEvents. 200 means durable, and everything of the request is taken or nothing. What came before ' +
          'is counted and not taken again.',
        security: [{ ingestToken: [] }],
        querystring: Type.Object(
          {
            topic: Type.Optional(
              Type.String({
                minLength: 1,
                maxLength: 249,
                description: 'The captured topic, for changes that do not tell theirs.',
                examples: ['oms.shop.orders'],
              }),
            ),
          },
          { additionalProperties: false },
        ),
        response: { 200: answer(ingestedBody), ...failures, ...unreadable, ...overloaded },
      },
    },
    async (request, reply) => {
      const { status, headers, body } = await door.handle({
        headers: request.headers,
        query: request.query,
        body: request.body instanceof Uint8Array ? request.body : new Uint8Array(),
      })
      return reply
        .code(status)
        .headers({ ...headers })
        .send(body)
    },
  )
}
