/** Services from docker-compose.yml by testcontainers, on free ports, for machines with a Docker engine. */
import { DockerComposeEnvironment, type StartedDockerComposeEnvironment, Wait } from 'testcontainers'
import { root } from '../../deploy/stack/assets.ts'
import type { PortBook, PortName } from '../../deploy/stack/ports.ts'
import { enforceCompatibility } from '../../deploy/stack/registry/registry.ts'
import type { ServiceName } from '../../deploy/stack/service.ts'

type Facts = Readonly<Record<string, string>>

export interface Containers {
  /** Whether the compose file has it; a cluster and promtool come from packages all the same. */
  has(name: ServiceName): boolean
  up(name: ServiceName): Promise<Facts>
  down(): Promise<void>
}

/** How the variables of the compose file are called. */
const portVariables: Partial<Record<PortName, string>> = {
  kafka: 'KAFKA_PORT',
  mariadb: 'MARIADB_PORT',
  postgres: 'POSTGRES_PORT',
  connect: 'CONNECT_PORT',
  registry: 'REGISTRY_PORT',
  opensearch: 'OPENSEARCH_PORT',
}

type PortOf = Readonly<Partial<Record<PortName, number>>>

const factsOf: Partial<Record<ServiceName, (port: PortOf) => Facts>> = {
  kafka: ({ kafka }) => ({ brokers: `127.0.0.1:${kafka}` }),
  mariadb: ({ mariadb }) => ({
    host: '127.0.0.1',
    port: String(mariadb),
    writer: 'oms',
    writerPassword: 'oms',
    capturer: 'cdc',
    capturerPassword: 'cdc',
  }),
  postgres: ({ postgres }) => ({
    host: '127.0.0.1',
    port: String(postgres),
    url: `postgres://waybill:waybill@127.0.0.1:${postgres}/waybill`,
    omsUrl: `postgres://postgres@127.0.0.1:${postgres}/oms`,
  }),
  connect: ({ connect, kafka }) => ({
    url: `http://127.0.0.1:${connect}`,
    brokers: `127.0.0.1:${kafka}`,
  }),
  registry: ({ registry }) => ({ url: `http://127.0.0.1:${registry}/apis/ccompat/v7` }),
  opensearch: ({ opensearch }) => ({ url: `http://127.0.0.1:${opensearch}` }),
}

/** Connect reads these databases, which nothing but a test knows to need. */
const together: Partial<Record<ServiceName, readonly ServiceName[]>> = { connect: ['mariadb', 'postgres'] }

export function openContainers(ports: PortBook, project: string): Containers {
  let started: StartedDockerComposeEnvironment | undefined
  // One `up` at a time: each changes the same project.
  let last: Promise<unknown> = Promise.resolve()

  async function start(name: ServiceName, facts: (port: PortOf) => Facts): Promise<Facts> {
    const chosen: Partial<Record<PortName, number>> = {}
    const environment: Record<string, string> = {}
    for (const [port, variable] of Object.entries(portVariables) as [PortName, string][]) {
      const [number = 0] = await ports(port)
      chosen[port] = number
      environment[variable] = String(number)
    }
    started = await new DockerComposeEnvironment(root, 'docker-compose.yml')
      .withProjectName(project)
      .withEnvironment(environment)
      .withDefaultWaitStrategy(Wait.forHealthCheck())
      .up([name, ...(together[name] ?? [])])
    const told = facts(chosen)
    if (name === 'registry' && told.url !== undefined) await enforceCompatibility(told.url)
    return told
  }

  const running = new Map<ServiceName, Promise<Facts>>()
  return {
    has: (name) => factsOf[name] !== undefined,
    up(name) {
      const facts = factsOf[name]
      if (!facts) return Promise.reject(new Error(`the compose file has no ${name}`))
      const known = running.get(name)
      if (known) return known
      const starting = last.then(() => start(name, facts))
      last = starting.catch(() => undefined)
      running.set(name, starting)
      return starting
    },
    async down() {
      await last
      await started?.down({ removeVolumes: true })
    },
  }
}
