/** A delivery log that is looked up before it is open: it says that it is away, and why, until the real one arrives. */
import { type DeliveryLog, DeliveryLogError } from '../../ports/delivery-log.ts'

export interface StoreToCome {
  readonly log: DeliveryLog
  arrived(log: DeliveryLog): void
  /** Why it is not there yet. */
  away(why: DeliveryLogError): void
}

export function storeToCome(): StoreToCome {
  let opened: DeliveryLog | undefined
  let why = 'it is being opened'
  const now = (): DeliveryLog => {
    if (opened) return opened
    throw new DeliveryLogError('unavailable', `the delivery log is not there yet: ${why}`)
  }
  return {
    arrived(log) {
      opened = log
    },
    away(error) {
      why = error.message
    },
    log: {
      listEvents: async (...request) => now().listEvents(...request),
      listDeliveries: async (...request) => now().listDeliveries(...request),
      getEvent: async (...request) => now().getEvent(...request),
      getDelivery: async (...request) => now().getDelivery(...request),
      listHealth: async (scope) => now().listHealth(scope),
      counts: async (scope) => now().counts(scope),
      asOf: async () => now().asOf(),
      write: async (batch) => now().write(batch),
      positions: async () => now().positions(),
      clear: async () => now().clear(),
      expire: async (...request) => now().expire(...request),
      ping: async () => now().ping(),
      close: async () => opened?.close(),
    },
  }
}
