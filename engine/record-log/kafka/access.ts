/** Credentials or rights that are missing: who asked for what, and that nothing gets better by waiting. */
import { LogError } from '../port.ts'
import { BrokerError, isDenied } from './error-table.ts'

/** The cluster refused us. Its message names the operation, the resource and the principal. */
export class KafkaAccessError extends LogError {
  readonly principal: string
  constructor(principal: string, message: string, options?: ErrorOptions) {
    super('rejected', `${message} (we are ${principal})`, options)
    this.name = 'KafkaAccessError'
    this.principal = principal
  }
}

/** The same object, with the principal named in what its methods reject with when access was denied. */
export function namingPrincipal<Face extends object>(face: Face, principal: string): Face {
  const wrapped = Object.entries(face).map(([name, member]) => {
    if (typeof member !== 'function') return [name, member]
    return [name, (...input: unknown[]) => namePrincipal(Reflect.apply(member, face, input), principal)]
  })
  return Object.fromEntries(wrapped) as Face
}

function namePrincipal(result: unknown, principal: string): unknown {
  if (!(result instanceof Promise)) return result
  return result.catch((error: unknown) => {
    if (!(error instanceof BrokerError) || !isDenied(error.code)) throw error
    throw new KafkaAccessError(principal, error.message, { cause: error })
  })
}
