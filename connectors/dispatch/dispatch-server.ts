/**
 * A dispatch system's side of dispatch.proto over anything that can look a rider up: the reference for those who
 * build one, and what demonstrations and tests ask.
 */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import {
  type handleUnaryCall,
  Server,
  ServerCredentials,
  type ServiceDefinition,
  status,
} from '@grpc/grpc-js'
import type { DispatchedRider } from '../../ports/dispatch.ts'
import { messageOf } from './assignment-message.ts'
import { getAssignmentPath } from './dispatch-channel.ts'
import {
  type GetAssignmentRequest,
  GetAssignmentRequestSchema,
  type GetAssignmentResponse,
  GetAssignmentResponseSchema,
} from './generated/dispatch_pb.ts'

/**
 * Looks a rider up; null asks for the newest attempt. `undefined`: nobody is assigned. An error that carries a gRPC
 * `code` is answered with it and its message; of any other only that it happened, because its text may hold anything.
 */
export type FindRider = (
  orderId: string,
  attemptNo: number | null,
) => DispatchedRider | undefined | Promise<DispatchedRider | undefined>

export interface DispatchServerOptions {
  readonly find: FindRider
  readonly host?: string
  /** 0, the default, takes any that is free. */
  readonly port?: number
  /** PEM texts. `ca` is whose clients are let in; without it, everybody's are. Absent: in clear. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca?: string }
  /** Callers must show it as `authorization: Bearer …`. */
  readonly token?: string
}

export interface DispatchServer {
  /** `host:port`. */
  readonly address: string
  readonly port: number
  /** Lets running calls end for a moment, then cuts them. Closing twice is harmless. */
  close(): Promise<void>
}

const definition = {
  getAssignment: {
    path: getAssignmentPath,
    requestStream: false,
    responseStream: false,
    requestSerialize: (request: GetAssignmentRequest) =>
      bytesOf(toBinary(GetAssignmentRequestSchema, request)),
    requestDeserialize: (bytes: Buffer) => fromBinary(GetAssignmentRequestSchema, bytes),
    responseSerialize: (response: GetAssignmentResponse) =>
      bytesOf(toBinary(GetAssignmentResponseSchema, response)),
    responseDeserialize: (bytes: Buffer) => fromBinary(GetAssignmentResponseSchema, bytes),
  },
} satisfies ServiceDefinition

const bytesOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** Starts it. Rejects when the port is taken or the certificates are unusable. */
export async function startDispatchServer(options: DispatchServerOptions): Promise<DispatchServer> {
  const server = new Server()
  server.addService(definition, { getAssignment: handlerOf(options) })
  const host = options.host ?? '127.0.0.1'
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${host}:${options.port ?? 0}`, credentialsOf(options.tls), (error, bound) =>
      error ? reject(error) : resolve(bound),
    )
  })
  let closed: Promise<void> | undefined
  return {
    address: `${host}:${port}`,
    port,
    close() {
      closed ??= new Promise((resolve) => {
        server.tryShutdown(() => resolve())
        // Calls that wait for `find` would hold the shutdown for as long as it takes.
        setImmediate(() => server.forceShutdown())
      })
      return closed
    },
  }
}

function handlerOf({ find, token }: DispatchServerOptions) {
  const handle: handleUnaryCall<GetAssignmentRequest, GetAssignmentResponse> = async (call, answer) => {
    const { orderId, attemptNo = null } = call.request
    if (token !== undefined && call.metadata.get('authorization')[0] !== `Bearer ${token}`) {
      return answer({ code: status.UNAUTHENTICATED, details: 'show the token of this server' })
    }
    if (orderId === '') return answer({ code: status.INVALID_ARGUMENT, details: 'order_id is empty' })
    try {
      const rider = await find(orderId, attemptNo)
      if (!rider) return answer({ code: status.NOT_FOUND, details: 'nobody is assigned to this attempt' })
      answer(
        null,
        create(GetAssignmentResponseSchema, { assignment: messageOf(rider, { orderId, attemptNo }) }),
      )
    } catch (error) {
      answer(refusalOf(error))
    }
  }
  return handle
}

function refusalOf(error: unknown): { code: status; details: string } {
  if (error instanceof Error && 'code' in error && typeof error.code === 'number') {
    return { code: error.code, details: error.message }
  }
  return { code: status.INTERNAL, details: 'the look-up failed' }
}

function credentialsOf(tls: DispatchServerOptions['tls']): ServerCredentials {
  if (!tls) return ServerCredentials.createInsecure()
  const pair = { cert_chain: Buffer.from(tls.cert), private_key: Buffer.from(tls.key) }
  return ServerCredentials.createSsl(
    tls.ca === undefined ? null : Buffer.from(tls.ca),
    [pair],
    tls.ca !== undefined,
  )
}
