/** Where each service listens on 127.0.0.1: the same whether it came from an image or from packages. */
import { createServer } from 'node:net'

/** Every port of the stack. Brokers of a cluster take three in a row, and so do their controllers. */
export const stackPorts = {
  kafka: 19092,
  kafkaController: 19096,
  kafkaSasl: 19093,
  kafkaTls: 19094,
  kafkaCluster: 19192,
  kafkaClusterController: 19196,
  mariadb: 13306,
  mysql: 13307,
  postgres: 15432,
  connect: 19283,
  /** The default of `waybill demo-dispatch`. */
  dispatch: 19051,
  registry: 19081,
  registryManagement: 19082,
  opensearch: 19200,
  opensearchTransport: 19300,
  prometheus: 19090,
  alertmanager: 19494,
  /** The default of the API. */
  waybill: 4929,
} as const

export type PortName = keyof typeof stackPorts

/** Answers with `count` free ports in a row for a name. */
export type PortBook = (name: PortName, count?: number) => Promise<readonly number[]>

/** The stack's own ports, the same every time. */
export const fixedPorts: PortBook = async (name, count = 1) =>
  Array.from({ length: count }, (_, nth) => stackPorts[name] + nth)

/** Ports that nobody listens on at the moment, remembered by name: a restarted service comes back where it was. */
export function freePorts(): PortBook {
  const given = new Map<PortName, readonly number[]>()
  return async (name, count = 1) => {
    const known = given.get(name)
    if (known) return known
    const ports = await Promise.all(Array.from({ length: count }, freePort))
    given.set(name, ports)
    return ports
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen({ host: '127.0.0.1', port: 0 }, () => {
      const address = probe.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      probe.close(() => resolve(port))
    })
  })
}

/** Whether somebody listens there. */
export async function inUse(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(true))
    probe.listen({ host: '127.0.0.1', port }, () => probe.close(() => resolve(false)))
  })
}
