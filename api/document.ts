/** What of the OpenAPI document does not follow from the routes: its head, and the schemas that stand once in it. */
import {
  commandBody,
  deliveryDetailBody,
  deliveryPageBody,
  eventDetailBody,
  eventPageBody,
} from './contract/answers.ts'
import { endpointSecretBody } from './contract/endpoint-secret.ts'
import { endpointTestBody } from './contract/endpoint-test.ts'
import { endpointBody, endpointListBody } from './contract/endpoints.ts'
import { errorBody } from './contract/error.ts'
import { gapBody, gapCommandBody, gapListBody } from './contract/gaps.ts'
import { endpointHealthBody, partnerHealthBody, windowBody } from './contract/health.ts'
import { aliveBody, ingestedBody, readinessBody } from './contract/operations.ts'
import { endpointCommandBody, redriveBody, redriveListBody } from './contract/redrives.ts'
import { attemptBody, deliveryBody, eventBody, verdictBody } from './contract/rows.ts'

/** Every schema that stands once in the document, by its `$id`. */
export const namedSchemas = [
  errorBody,
  eventBody,
  deliveryBody,
  attemptBody,
  verdictBody,
  eventPageBody,
  eventDetailBody,
  deliveryPageBody,
  deliveryDetailBody,
  commandBody,
  windowBody,
  endpointHealthBody,
  partnerHealthBody,
  gapBody,
  gapListBody,
  gapCommandBody,
  redriveBody,
  redriveListBody,
  endpointCommandBody,
  endpointTestBody,
  endpointSecretBody,
  endpointBody,
  endpointListBody,
  aliveBody,
  readinessBody,
  ingestedBody,
]

/** Settings of the plugin that makes the document. */
export const documentOptions = (version: string) => ({
  openapi: {
    openapi: '3.1.0',
    info: {
      title: 'Waybill',
      description:
        'What became of order changes: events, deliveries, attempts, and how endpoints do. Times are RFC 3339 in ' +
        'UTC. What does not apply is null, never missing. New fields may be added; ignore what you do not know.',
      version,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    tags: [
      { name: 'events', description: 'One transition of an order.' },
      { name: 'deliveries', description: 'One event for one endpoint, and its requests.' },
      { name: 'endpoints', description: 'Where webhooks go.' },
      { name: 'redrives', description: 'Sending again what endpoints missed.' },
      { name: 'health', description: 'How receivers do.' },
      { name: 'gaps', description: 'Missed transitions of orders.' },
      { name: 'ingest', description: 'The door for changes of the source.' },
      { name: 'operations', description: 'For those who run it.' },
    ],
    components: {
      securitySchemes: {
        token: {
          type: 'http' as const,
          scheme: 'bearer',
          description: 'An operator’s token sees everything, a partner’s what is that partner’s.',
        },
        ingestToken: {
          type: 'http' as const,
          scheme: 'bearer',
          description:
            'The token of the source; instead, a request may be signed as Standard Webhooks has it.',
        },
      },
    },
    security: [{ token: [] }],
  },
  convertConstToEnum: false,
  refResolver: {
    buildLocalReference: (schema: { $id?: unknown }, _base: unknown, _fragment: string, index: number) =>
      typeof schema.$id === 'string' ? schema.$id : `schema-${index}`,
  },
})
