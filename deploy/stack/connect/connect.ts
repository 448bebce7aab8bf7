/** Kafka Connect with Debezium: one distributed worker, so that connectors and offsets live in Kafka. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startProcess } from '../process.ts'
import type { ServiceDefinition } from '../service.ts'
import { versions } from '../versions.ts'
import { answers } from '../waiting.ts'

/** What connectors may read of the worker's environment as `${env:NAME}`. */
const readableNames = '^(OMS|DISPATCH|CDC)_.*'

export const connect: ServiceDefinition = {
  name: 'connect',
  needs: ['kafka'],
  async prepare({ directory, packages, ports, assets }) {
    const java = await packages.java(17)
    const folder = await packages.maven({
      name: `connect-${versions.connect}-debezium-${versions.debezium}`,
      pom: join(assets, 'connect/pom.xml'),
      properties: {
        'connect.version': versions.connect,
        'debezium.version': versions.debezium,
        'log4j.version': versions.log4j,
      },
    })
    const [port = 0] = await ports('connect')
    const [kafkaPort = 0] = await ports('kafka')
    const [mariadbPort = 0] = await ports('mariadb')
    const [mysqlPort = 0] = await ports('mysql')
    const [postgresPort = 0] = await ports('postgres')
    const url = `http://127.0.0.1:${port}`
    const brokers = `127.0.0.1:${kafkaPort}`
    return {
      nodes: [
        {
          directory,
          async start() {
            mkdirSync(directory, { recursive: true })
            const settings = join(directory, 'worker.properties')
            writeFileSync(settings, workerProperties({ port, brokers, plugins: join(folder, 'plugins') }))
            await startProcess({
              name: 'Kafka Connect',
              directory,
              command: java,
              args: [
                // Half of this thrashes with four connectors on a burst.
                ...['-Xms64m', '-Xmx512m', '-XX:+UseSerialGC', '-Djava.net.preferIPv4Stack=true'],
                `-Dlog4j2.configurationFile=${join(assets, 'connect/log4j2.properties')}`,
                ...[
                  '-cp',
                  join(folder, 'libs/*'),
                  'org.apache.kafka.connect.cli.ConnectDistributed',
                  settings,
                ],
              ],
              env: databases({ brokers, mariadbPort, mysqlPort, postgresPort }),
              ready: () => answers(`${url}/connectors`),
            })
          },
        },
      ],
      facts: { url, brokers },
    }
  },
}

function workerProperties(options: { port: number; brokers: string; plugins: string }): string {
  const group = 'cdc-connect'
  return `bootstrap.servers=${options.brokers}
group.id=${group}
config.storage.topic=${group}-configs
config.storage.replication.factor=1
offset.storage.topic=${group}-offsets
offset.storage.replication.factor=1
offset.storage.partitions=5
status.storage.topic=${group}-status
status.storage.replication.factor=1
status.storage.partitions=1
key.converter=org.apache.kafka.connect.json.JsonConverter
key.converter.schemas.enable=false
value.converter=org.apache.kafka.connect.json.JsonConverter
value.converter.schemas.enable=false
# What a crash repeats; the default is a minute.
offset.flush.interval.ms=1000
# Else the tasks of a killed worker stay down for five minutes.
scheduled.rebalance.max.delay.ms=0
listeners=http://127.0.0.1:${options.port}
rest.advertised.host.name=127.0.0.1
plugin.path=${options.plugins}
plugin.discovery=service_load
config.providers=env
config.providers.env.class=org.apache.kafka.common.config.provider.EnvVarConfigProvider
config.providers.env.param.allowlist.pattern=${readableNames}
`
}

/** Where the connectors' databases are; the same names in the compose file. */
function databases(at: {
  brokers: string
  mariadbPort: number
  mysqlPort: number
  postgresPort: number
}): Record<string, string> {
  const database = (name: string, port: number) => ({
    [`${name}_HOST`]: '127.0.0.1',
    [`${name}_PORT`]: String(port),
    [`${name}_USER`]: 'cdc',
    [`${name}_PASSWORD`]: 'cdc',
  })
  return {
    CDC_KAFKA: at.brokers,
    ...database('OMS_DB', at.mariadbPort),
    ...database('DISPATCH_DB', at.mariadbPort),
    ...database('OMS_MYSQL', at.mysqlPort),
    ...database('OMS_PG', at.postgresPort),
    ...database('DISPATCH_PG', at.postgresPort),
  }
}
