/**
 * The connection to a dispatch system and the one call over it, as a promise. Deadlines, repeats and what an error
 * means are the caller's business.
 */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { type ChannelCredentials, Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js'
import type { AssignmentOf } from './assignment-message.ts'
import {
  type Assignment,
  Dispatch,
  GetAssignmentRequestSchema,
  GetAssignmentResponseSchema,
} from './generated/dispatch_pb.ts'

/** PEM texts. Without `ca` the usual authorities count; `cert` and `key` say who we are, where that is asked. */
export interface DispatchTls {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  /** The name that the certificate must have, where it is not that of the address. */
  readonly serverName?: string
}

export interface DispatchChannelOptions {
  /** `host:port`. */
  readonly address: string
  /** Absent: in clear. */
  readonly tls?: DispatchTls
  /** Shown with each call as `authorization: Bearer …`. */
  readonly token?: string
}

export interface CallLimits {
  /** Milliseconds since the epoch. */
  readonly deadlineAt: number
  readonly signal: AbortSignal
}

export interface DispatchChannel {
  /** Rejects with grpc-js's `ServiceError`. An answer without an assignment is `undefined`. */
  getAssignment(of: AssignmentOf, limits: CallLimits): Promise<Assignment | undefined>
  close(): void
}

/** As gRPC names a method on the wire. */
export const getAssignmentPath = `/${Dispatch.typeName}/${Dispatch.method.getAssignment.name}`

/** An assignment is some hundred bytes. */
const answerBytesMax = 64 * 1024

/** Opens it; it connects when it is used. Throws when the certificates are unusable. */
export function openDispatchChannel(options: DispatchChannelOptions): DispatchChannel {
  const client = new Client(options.address, credentialsOf(options.tls), {
    // Repeats are counted by us: the library's own would multiply them.
    'grpc.enable_retries': 0,
    // A new channel must get a new connection, not the dead one of the last.
    'grpc.use_local_subchannel_pool': 1,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 5_000,
    'grpc.max_receive_message_length': answerBytesMax,
    ...(options.tls?.serverName !== undefined && {
      'grpc.ssl_target_name_override': options.tls.serverName,
      'grpc.default_authority': options.tls.serverName,
    }),
  })
  const metadata = new Metadata()
  if (options.token !== undefined) metadata.set('authorization', `Bearer ${options.token}`)

  return {
    getAssignment: ({ orderId, attemptNo }, { deadlineAt, signal }) =>
      new Promise((resolve, reject) => {
        const request = create(GetAssignmentRequestSchema, {
          orderId,
          ...(attemptNo !== null && { attemptNo }),
        })
        const done = (error: ServiceError | null, assignment?: Assignment) => {
          signal.removeEventListener('abort', cancel)
          if (error) reject(error)
          else resolve(assignment)
        }
        const call = client.makeUnaryRequest(
          getAssignmentPath,
          (message: typeof request) => Buffer.from(toBinary(GetAssignmentRequestSchema, message)),
          (bytes: Buffer) => fromBinary(GetAssignmentResponseSchema, bytes),
          request,
          metadata,
          { deadline: new Date(deadlineAt) },
          (error, response) => done(error, response?.assignment),
        )
        const cancel = () => call.cancel()
        if (signal.aborted) cancel()
        else signal.addEventListener('abort', cancel)
      }),
    close: () => client.close(),
  }
}

function credentialsOf(tls: DispatchTls | undefined): ChannelCredentials {
  if (!tls) return credentials.createInsecure()
  return credentials.createSsl(bytesOf(tls.ca), bytesOf(tls.key), bytesOf(tls.cert))
}

const bytesOf = (pem: string | undefined): Buffer | null => (pem === undefined ? null : Buffer.from(pem))
