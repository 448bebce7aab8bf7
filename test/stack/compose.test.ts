/** docker-compose.yml, checked without an engine: no machine of the tests has one for certain. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { capturedSurroundings } from '../../app/cli/testing/captured-surroundings.ts'
import { readConfig } from '../../app/config/config.ts'
import { defaultApiPort } from '../../app/config/setting-defaults.ts'
import { runCommand } from '../../app/main.ts'
import { root } from '../../deploy/stack/assets.ts'
import { stackPorts } from '../../deploy/stack/ports.ts'
import { versions } from '../../deploy/stack/versions.ts'
import { composeFindings, publishedPorts, readCompose } from './compose.ts'

const text = readFileSync(join(root, 'docker-compose.yml'), 'utf8')
const compose = readCompose(text)

describe('docker-compose.yml', () => {
  it('has nothing wrong with it', () => {
    expect(composeFindings(compose, root)).toEqual([])
  })

  it('publishes the ports of the package stack', () => {
    expect(Object.fromEntries(publishedPorts(compose))).toEqual({
      KAFKA_PORT: stackPorts.kafka,
      MARIADB_PORT: stackPorts.mariadb,
      POSTGRES_PORT: stackPorts.postgres,
      REGISTRY_PORT: stackPorts.registry,
      CONNECT_PORT: stackPorts.connect,
      OPENSEARCH_PORT: stackPorts.opensearch,
      PROMETHEUS_PORT: stackPorts.prometheus,
      GRAFANA_PORT: 13000,
      WAYBILL_PORT: defaultApiPort,
    })
  })

  it('has the versions of the package stack', () => {
    const { kafka, registry, connect, opensearch } = compose.services
    expect(kafka?.image).toBe(`apache/kafka:${versions.kafka}`)
    expect(registry?.image).toBe(`apicurio/apicurio-registry:${versions.apicurio}`)
    expect(connect?.image).toBe(`quay.io/debezium/connect:${versions.debezium}`)
    expect(opensearch?.image).toBe(`opensearchproject/opensearch:${versions.opensearch}`)
  })

  it('has everything that orders need to become webhooks, and what shows it', () => {
    expect(Object.keys(compose.services).sort()).toEqual(
      [
        ...['connect', 'connectors', 'dispatch', 'grafana', 'kafka', 'keys', 'mariadb', 'oms', 'opensearch'],
        ...['postgres', 'prometheus', 'receiver', 'registry', 'schemas', 'waybill'],
      ].sort(),
    )
  })

  it('runs commands that the program has', async () => {
    const commands = Object.values(compose.services).flatMap(({ image, command }) =>
      image === 'waybill:local' && command ? [command] : [],
    )
    expect(commands.length).toBeGreaterThan(3)
    for (const command of commands) {
      const words = command.filter((word) => /^[a-z-]+$/.test(word) && !word.startsWith('-')).slice(0, 2)
      const surroundings = capturedSurroundings({ cwd: root })
      const code = await runCommand(
        [...words.slice(0, command[1]?.startsWith('-') ? 1 : 2), '--help'],
        surroundings,
      )
      expect([words, code]).toEqual([words, 0])
      expect(surroundings.stdout.text()).toMatch(new RegExp(`Usage: waybill ${words[0]}\\b`))
      for (const option of command.filter((word) => word.startsWith('--'))) {
        expect(surroundings.stdout.text()).toContain(option)
      }
    }
  })

  it('configures waybill as it can be read', () => {
    const config = join(root, 'deploy/compose/waybill.yaml')
    const env = { WAYBILL_DATABASE_URL: 'postgres://waybill:waybill@postgres:5432/waybill' }
    expect(readConfig({ config, demo: false }, { env, cwd: root })).toMatchObject({
      kafka: { brokers: ['kafka:9092'] },
      registry: { url: 'http://registry:8080/apis/ccompat/v7' },
      api: { host: '0.0.0.0', port: defaultApiPort },
    })
  })

  it('gives the receiver the secret of the partner whose webhooks it takes', () => {
    const file = readFileSync(join(root, 'deploy/compose/partners.yaml'), 'utf8')
    const [partner] = (parse(file) as { partners: { endpoints: { url: string; secret: string }[] }[] })
      .partners
    const [endpoint] = partner?.endpoints ?? []
    expect(endpoint?.url).toMatch(/^http:\/\/receiver:9000\//)
    expect(text).toContain(`SIGNING_SECRET: ${endpoint?.secret}\n`)
  })
})

describe('the check itself', () => {
  const broken = (from: string, to: string) => {
    expect(text).toContain(from)
    return composeFindings(readCompose(text.replace(from, to)), root)
  }

  it('finds an image that is not pinned', () => {
    expect(broken('apache/kafka:4.4.0', 'apache/kafka:latest')).toEqual([
      'kafka does not pin its image: apache/kafka:latest',
    ])
  })

  it('finds a misspelt key', () => {
    expect(broken('    restart: unless-stopped', '    restarts: unless-stopped')).toEqual([
      'kafka has the unknown key "restarts"',
    ])
  })

  it('finds a file that is not there, and a volume that is not declared', () => {
    expect(broken('./deploy/compose/partners.yaml', './deploy/compose/nobody.yaml')).toEqual([
      'waybill mounts ./deploy/compose/nobody.yaml, which is not there',
    ])
    expect(broken('- grafana-data:', '- grafana-dat:')).toEqual([
      'grafana mounts the volume grafana-dat, which is not declared',
    ])
  })

  it('finds a service without a health check, a wait for nobody, and a port for the whole world', () => {
    expect(
      broken(
        '    healthcheck:\n      test: ["CMD-SHELL", "nc -z localhost 9092"]',
        '    stop_grace_period:\n      test: []',
      ),
    ).toContain('kafka has no health check')
    expect(
      broken('      kafka: { condition: service_healthy }', '      kafak: { condition: service_healthy }'),
    ).toEqual(['connect depends on kafak, which is not there'])
    expect(broken('"127.0.0.1:$'.concat('{KAFKA_PORT:-19092}:19092"'), '"19092:19092"')).toEqual([
      expect.stringMatching('^kafka publishes 19092:19092: write '),
    ])
  })

  it('finds a key that is there twice', () => {
    expect(() => readCompose('services:\n  one: {}\n  one: {}\n')).toThrow('unique')
  })
})
