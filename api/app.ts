/**
 * The API: routes, the gate in front of them, one shape for all that goes wrong, and the OpenAPI document that
 * follows from the routes. It listens nowhere by itself.
 */
import swagger from '@fastify/swagger'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import fastify, { type FastifyInstance, type FastifyServerOptions, LogController } from 'fastify'
import { makeGate } from './auth.ts'
import { documentOptions, namedSchemas } from './document.ts'
import { errorOf, errorTable } from './errors.ts'
import { answerFailures, brokenConnection, unreadableAddress } from './failures.ts'
import type { ApiOptions } from './options.ts'
import { type Api, addScope, setScope } from './requests.ts'
import { addBackup } from './routes/backup.ts'
import { addCommands } from './routes/commands.ts'
import { addDeliveries } from './routes/deliveries.ts'
import { addEndpointSecret } from './routes/endpoint-secret.ts'
import { addEndpointSettings } from './routes/endpoint-settings.ts'
import { addEndpointTest } from './routes/endpoint-test.ts'
import { addEndpoints } from './routes/endpoints.ts'
import { addEvents } from './routes/events.ts'
import { addGaps } from './routes/gaps.ts'
import { addHealth } from './routes/health.ts'
import { addIngest } from './routes/ingest.ts'
import { addOperations } from './routes/operations.ts'
import { addRedrives } from './routes/redrives.ts'

/** No request of this API has a large body. */
const bodyBytesMax = 16 * 1024

/** A request that takes longer to arrive is not from anybody who means well. */
const requestTimeoutMs = 30_000

/** Builds it, ready for `inject` and `listen`. Closing it ends idle connections and waits for open requests. */
export function buildApi(options: ApiOptions): Api {
  const app = fastify({
    ...serverOptions(options),
    logger: options.log ? { level: options.log.level, stream: options.log } : false,
  }).withTypeProvider<TypeBoxTypeProvider>()
  readBodies(app)
  for (const schema of namedSchemas) app.addSchema(schema)
  answerFailures(app, options.report)
  addGate(app, options)
  app.register(swagger, documentOptions(options.version))
  app.register(async (routes) => {
    const api = routes.withTypeProvider<TypeBoxTypeProvider>()
    addEvents(api, options.deliveryLog)
    addDeliveries(api, options.deliveryLog)
    addCommands(api, options)
    addEndpoints(api, options)
    if (options.tests) addEndpointTest(api, options.tests, options)
    if (options.endpoints) addEndpointSettings(api, options.endpoints, options)
    if (options.secrets) addEndpointSecret(api, options.secrets, options)
    if (options.redrives) addRedrives(api, options.redrives, options)
    addHealth(api, options.deliveryLog)
    if (options.gaps) addGaps(api, options.gaps, options)
    if (options.backups) addBackup(api, options.backups)
    addOperations(api, options)
  })
  const { ingest } = options
  if (ingest)
    app.register(async (routes) => addIngest(routes.withTypeProvider<TypeBoxTypeProvider>(), ingest))
  return app
}

function serverOptions({ random }: ApiOptions): FastifyServerOptions {
  return {
    // One line per request, of our own: the stock ones hold query strings.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: bodyBytesMax,
    requestTimeout: requestTimeoutMs,
    // A closing server finishes what it has taken, instead of answering in a shape of its own.
    return503OnClosing: false,
    routerOptions: { maxParamLength: 256 },
    // Nothing unknown is dropped silently: a mistyped filter would otherwise list everything.
    ajv: { customOptions: { removeAdditional: false, allErrors: true } },
    requestIdHeader: false,
    genReqId: ({ headers }) => {
      const given = headers['x-request-id']
      if (typeof given === 'string' && /^[\w.-]{8,64}$/.test(given)) return given
      return Buffer.from(random.bytes(12)).toString('hex')
    },
    frameworkErrors: unreadableAddress,
    clientErrorHandler: brokenConnection,
  }
}

/** JSON or nothing. Many clients name the type although they send no body; that is nothing, not a broken one. */
function readBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  const parseJson = app.getDefaultJsonParser('error', 'error')
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body.trim() === '') done(null, undefined)
    else parseJson(request, body, done)
  })
}

/** Who may pass is decided before anything of a request is read. */
function addGate(app: Api, { auth }: ApiOptions): void {
  const gate = makeGate(auth)
  addScope(app)
  app.addHook('onRoute', ({ method, url, config }) => {
    if (config?.access === undefined) throw new Error(`${String(method)} ${url} does not say who may call it`)
  })
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id)
    reply.header('x-content-type-options', 'nosniff')
    reply.header('cache-control', 'no-store')
    const verdict = gate(
      {
        authorization: request.headers.authorization,
        address: request.socket.remoteAddress,
        host: request.headers.host,
        origin: request.headers.origin,
      },
      request.is404 ? 'public' : (request.routeOptions.config.access ?? 'operator'),
    )
    if ('scope' in verdict) return setScope(request, verdict.scope)
    if (verdict.refused === 'unauthorized') reply.header('www-authenticate', 'Bearer realm="waybill"')
    return reply.code(errorTable[verdict.refused].status).send(errorOf(verdict.refused))
  })
}
