/** `GET /v1/backup`: everything that the embedded tier keeps, as it is at this moment, as one file. */
import type { Readable } from 'node:stream'
import { Type } from 'typebox'
import { refuse } from '../errors.ts'
import type { BackupDesk } from '../options.ts'
import { type Api, commonFailures, conflict } from '../requests.ts'

export function addBackup(app: Api, desk: BackupDesk): void {
  app.get(
    '/v1/backup',
    {
      config: { access: 'operator' },
      // Asking for the head alone would take a whole backup.
      exposeHeadRoute: false,
      schema: {
        operationId: 'takeBackup',
        tags: ['operations'],
        summary: 'Take a backup',
        description:
          'Everything from which the data directory can be made again, while Waybill goes on; `waybill restore` reads ' +
          'it. A file that was cut off says so. Sealing keys are never in it.',
        querystring: Type.Object({}, { additionalProperties: false }),
        response: {
          200: {
            description: 'The backup, as it comes.',
            content: {
              'application/octet-stream': {
                schema: Type.Unsafe<Readable>({ type: 'string', format: 'binary' }),
              },
            },
          },
          ...commonFailures,
          ...conflict,
        },
      },
    },
    async (_request, reply) => {
      const begun = desk.start()
      if ('refused' in begun) return refuse(reply, begun.refused)
      const day = new Date(begun.createdAt).toISOString().slice(0, 10)
      reply.header('content-disposition', `attachment; filename="waybill-${day}.backup"`)
      return reply.code(200).type('application/octet-stream').send(begun.stream)
    },
  )
}
