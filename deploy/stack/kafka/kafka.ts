/** Kafka from Maven Central: one broker, or three; each is a controller too. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { startProcess } from '../process.ts'
import { runCommand } from '../run-command.ts'
import type { PreparedService, ServiceDefinition, ServiceVariant, StartContext } from '../service.ts'
import { versions } from '../versions.ts'
import {
  type BrokerAddress,
  brokerProperties,
  type SecuredListeners,
  securedUsers,
} from './broker-properties.ts'

/** One broker. */
export const kafka: ServiceDefinition = {
  name: 'kafka',
  needs: [],
  async prepare(context, variant) {
    const [port = 0] = await context.ports('kafka')
    const [controllerPort = 0] = await context.ports('kafkaController')
    return prepareBrokers(context, variant, [{ id: 1, port, controllerPort }])
  },
}

/** Three, with a replica of everything on each. */
export const kafkaCluster: ServiceDefinition = {
  name: 'kafka-cluster',
  needs: [],
  async prepare(context, variant) {
    const ports = await context.ports('kafkaCluster', 3)
    const controllers = await context.ports('kafkaClusterController', 3)
    const brokers = ports.map((port, nth) => ({ id: nth + 1, port, controllerPort: controllers[nth] ?? 0 }))
    return prepareBrokers(context, variant, brokers)
  },
}

/** KAFKA_VERSION=3.9.1 for the same tests on another broker. */
const version = (): string => process.env.KAFKA_VERSION ?? versions.kafka

/** Any 16 bytes in base64; all brokers of a cluster must agree. */
const clusterId = 'AAAAAAAAQACAAAAAAAAAAA'

async function prepareBrokers(
  context: StartContext,
  variant: ServiceVariant,
  brokers: readonly BrokerAddress[],
): Promise<PreparedService> {
  const jars = await context.packages.maven({
    name: `kafka-${version()}`,
    pom: join(context.assets, 'kafka/pom.xml'),
    properties: { 'kafka.version': version(), 'log4j.version': versions.log4j },
  })
  const java = await context.packages.java(17)
  const secured = variant.secured === true ? await makeSecured(context, java) : undefined
  return {
    nodes: brokers.map((me) => {
      const directory = join(context.directory, `node${me.id}`)
      return {
        directory,
        start: () => startBroker({ context, variant, java, jars, me, all: brokers, directory, secured }),
      }
    }),
    facts: {
      brokers: brokers.map(({ port }) => `127.0.0.1:${port}`).join(),
      ...(secured && {
        saslBrokers: `127.0.0.1:${secured.saslPort}`,
        tlsBrokers: `127.0.0.1:${secured.tlsPort}`,
        caFile: secured.caFile,
        ...Object.fromEntries(
          Object.values(securedUsers).map(({ name, password }) => [`password of ${name}`, password]),
        ),
      }),
    },
  }
}

interface Broker {
  readonly context: StartContext
  readonly variant: ServiceVariant
  readonly java: string
  readonly jars: string
  readonly me: BrokerAddress
  readonly all: readonly BrokerAddress[]
  readonly directory: string
  readonly secured: SecuredListeners | undefined
}

/** Small and quickly compiled: a broker under test lives for minutes. KAFKA_JIT=4 for benchmarks. */
function javaOptions({ assets }: StartContext): string[] {
  return [
    `-Xmx${process.env.KAFKA_HEAP ?? '512m'}`,
    '-Xms64m',
    '-XX:+UseSerialGC',
    `-XX:TieredStopAtLevel=${process.env.KAFKA_JIT ?? '1'}`,
    '-Djava.awt.headless=true',
    '-Djava.net.preferIPv4Stack=true',
    '-Dlog4j2.disable.jmx=true',
    `-Dlog4j2.configurationFile=${join(assets, 'kafka/log4j2.properties')}`,
  ]
}

async function startBroker(broker: Broker): Promise<void> {
  const { context, variant, java, jars, me, all, directory, secured } = broker
  const settings = join(directory, 'server.properties')
  const dataDirectory = join(directory, 'data')
  mkdirSync(directory, { recursive: true })
  writeFileSync(settings, brokerProperties({ me, all, dataDirectory, secured, extra: variant.properties }))
  await format(broker, settings, dataDirectory)
  const log = join(directory, 'output.log')
  const startsBefore = startsIn(log)
  const pinned = process.env.KAFKA_CPU
  const command = [java, ...javaOptions(context), '-cp', join(jars, '*'), 'kafka.Kafka', settings]
  const [program = java, ...args] = pinned ? ['taskset', '-c', pinned, ...command] : command
  await startProcess({
    name: `broker ${me.id}`,
    directory,
    command: program,
    args,
    ready: () => startsIn(log) > startsBefore,
  })
}

/** How often the log says that the broker is up. */
const startsIn = (log: string): number =>
  existsSync(log) ? readFileSync(log, 'utf8').split('Kafka Server started').length - 1 : 0

/**
 * A formatted folder holds only ids and feature levels, and nothing of paths or ports: made once for a node, then
 * copied, which saves the start of a JVM.
 */
async function format(broker: Broker, settings: string, dataDirectory: string): Promise<void> {
  if (existsSync(join(dataDirectory, 'meta.properties'))) return
  const { context, variant, java, jars, me, all } = broker
  const plain = variant.secured !== true && variant.format === undefined
  const template = join(dirname(jars), `formatted-${version()}-${me.id}-of-${all.length}`)
  if (plain && existsSync(join(template, 'meta.properties'))) {
    cpSync(template, dataDirectory, { recursive: true })
    return
  }
  const users = Object.values(securedUsers).flatMap(({ name, password }) =>
    ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
      '--add-scram',
      `${mechanism}=[name=${name},password=${password}]`,
    ]),
  )
  await runCommand(java, [
    ...javaOptions(context),
    ...['-cp', join(jars, '*'), 'kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', settings],
    ...(variant.secured === true ? users : []),
    ...(variant.format ?? []),
  ])
  if (plain && !existsSync(template)) keepAs(template, dataDirectory)
}

/** Another run may make the same one meanwhile: whoever is second leaves the first one's. */
function keepAs(template: string, made: string): void {
  const aside = mkdtempSync(`${template}.`)
  cpSync(made, aside, { recursive: true })
  if (existsSync(template)) rmSync(aside, { recursive: true })
  else renameSync(aside, template)
}

/** Ports and a certificate for 127.0.0.1 that it signed itself. */
async function makeSecured(
  context: StartContext,
  java: string,
): Promise<SecuredListeners & { caFile: string }> {
  const [saslPort = 0] = await context.ports('kafkaSasl')
  const [tlsPort = 0] = await context.ports('kafkaTls')
  const keystore = join(context.directory, 'keystore.p12')
  const caFile = join(context.directory, 'ca.pem')
  const password = 'keystore-secret'
  if (!existsSync(keystore)) {
    mkdirSync(context.directory, { recursive: true })
    const keytool = join(dirname(java), 'keytool')
    const store = ['-keystore', keystore, '-storetype', 'PKCS12', '-storepass', password, '-alias', 'broker']
    const subject = ['-dname', 'CN=localhost', '-ext', 'san=ip:127.0.0.1,dns:localhost']
    await runCommand(keytool, ['-genkeypair', ...store, '-keyalg', 'RSA', '-validity', '3650', ...subject])
    await runCommand(keytool, ['-exportcert', '-rfc', ...store, '-file', caFile])
  }
  return { saslPort, tlsPort, keystore, password, caFile }
}
