/** For those who run it: is it alive, is it ready, its metrics, and the description of this API. */
import { Type } from 'typebox'
import { answer } from '../contract/fields.ts'
import { aliveBody, readinessBody } from '../contract/operations.ts'
import type { ApiOptions } from '../options.ts'
import { readiness } from '../readiness.ts'
import { type Api, commonFailures } from '../requests.ts'

type Needs = Pick<ApiOptions, 'deliveryLog' | 'health' | 'metrics' | 'clock' | 'version'>

export function addOperations(app: Api, needs: Needs): void {
  app.get(
    '/healthz',
    {
      config: { access: 'public' },
      schema: {
        operationId: 'alive',
        tags: ['operations'],
        summary: 'Is the process alive?',
        description: 'Looks at nothing else: a process that answers needs no restart.',
        security: [],
        response: { 200: answer(aliveBody) },
      },
    },
    async (_request, reply) => reply.send({ status: 'ok', version: needs.version }),
  )

  app.get(
    '/readyz',
    {
      config: { access: 'public' },
      schema: {
        operationId: 'ready',
        tags: ['operations'],
        summary: 'Is it ready for work, and if not, why?',
        description: 'What is only `degraded` does not make it unready.',
        security: [],
        response: { 200: answer(readinessBody), 503: answer(readinessBody) },
      },
    },
    async (_request, reply) => {
      const state = await readiness(needs)
      return reply.code(state.ready ? 200 : 503).send(state)
    },
  )

  app.get(
    '/metrics',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'metrics',
        tags: ['operations'],
        summary: 'Metrics, for Prometheus',
        description: 'The metrics of this process in the text format of Prometheus.',
        response: {
          200: {
            description: 'The metrics.',
            content: { 'text/plain': { schema: Type.String() } },
          },
          ...commonFailures,
        },
      },
    },
    async (_request, reply) => reply.type(needs.metrics.contentType).send(await needs.metrics.text()),
  )

  app.get(
    '/openapi.json',
    {
      config: { access: 'public' },
      schema: {
        operationId: 'openapi',
        tags: ['operations'],
        summary: 'The description of this API',
        description: 'OpenAPI 3.1, made from the schemas that requests and answers are held to.',
        security: [],
        response: { 200: Type.Unknown({ description: 'The document.' }) },
      },
    },
    async (_request, reply) => reply.send(app.swagger()),
  )
}
