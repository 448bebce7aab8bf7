/** The sockets of one purpose, one per broker, opened as they are needed. */
import { LogError } from '../port.ts'
import type { BrokerAddress, BrokerConnection } from './broker-connection.ts'
import type { Lane } from './cluster-view.ts'

export interface KafkaLane extends Lane {
  broker(nodeId: number): BrokerConnection
}

export interface LaneParts {
  readonly name: string
  addressOf(nodeId: number): BrokerAddress | undefined
  open(address: BrokerAddress): BrokerConnection
}

/** Makes a lane without sockets. */
export function makeLane({ name, addressOf, open }: LaneParts): KafkaLane {
  const connections = new Map<number, { address: BrokerAddress; connection: BrokerConnection }>()
  let closed = false
  return {
    broker(nodeId) {
      if (closed) throw new LogError('retriable', `the connections for ${name} are closed`)
      const address = addressOf(nodeId)
      if (!address) throw new LogError('retriable', `broker ${nodeId} is not known (any more)`)
      const found = connections.get(nodeId)
      if (found && found.address.host === address.host && found.address.port === address.port) {
        return found.connection
      }
      found?.connection.close()
      const connection = open(address)
      connections.set(nodeId, { address, connection })
      return connection
    },
    close() {
      closed = true
      for (const { connection } of connections.values()) connection.close()
      connections.clear()
    },
  }
}
