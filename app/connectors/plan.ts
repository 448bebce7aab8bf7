/** Compares connector files with what a worker has: what would be made, what would be changed, and what is wrong. Pure. */
import { checkConfig, checkTogether, type RuleFinding } from '../../connectors/debezium/config-rules.ts'
import type { DeployedConnector } from '../../connectors/debezium/connect-client.ts'
import { type ConnectorConfig, shown } from '../../connectors/debezium/connector-config.ts'
import type { ConnectorFile } from '../../connectors/debezium/connector-files.ts'

/** A setting that would change; `null`: it is not there. Secrets are masked. */
export interface SettingChange {
  readonly setting: string
  readonly from: string | null
  readonly to: string | null
}

/** One file compared with the connector of its name. */
export interface PlannedConnector {
  readonly name: string
  readonly action: 'create' | 'change' | 'none'
  readonly changes: readonly SettingChange[]
  readonly findings: readonly RuleFinding[]
  /** As it is to be. */
  readonly config: ConnectorConfig
}

/** All files compared with what the worker has. */
export interface ConnectorPlan {
  readonly connectors: readonly PlannedConnector[]
  /** Capturing connectors that the worker has and no file names: left alone. */
  readonly others: readonly string[]
}

/** Compares. */
export function comparePlan(
  files: readonly ConnectorFile[],
  deployed: ReadonlyMap<string, DeployedConnector>,
): ConnectorPlan {
  const named = new Map(files.map(({ name, config }) => [name, config]))
  const shared = checkTogether(named)
  const others = [...deployed.values()].filter(
    ({ name, config }) => !named.has(name) && config['connector.class']?.startsWith('io.debezium.') === true,
  )
  return {
    connectors: files.map(({ name, config }) => {
      const present = deployed.get(name)
      const changes = changesOf(present?.config ?? {}, config)
      const ofOthers = present ? [] : clashesWith(config, others)
      return {
        name,
        action: present ? (changes.length > 0 ? 'change' : 'none') : 'create',
        changes,
        findings: [
          ...checkConfig(config),
          ...shared.filter(({ connector }) => connector === name),
          ...ofOthers,
        ],
        config,
      }
    }),
    others: others.map(({ name }) => name),
  }
}

function changesOf(before: ConnectorConfig, after: ConnectorConfig): SettingChange[] {
  const settings = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()
  return settings
    .filter((setting) => before[setting] !== after[setting])
    .map((setting) => ({ setting, from: masked(setting, before), to: masked(setting, after) }))
}

function masked(setting: string, config: ConnectorConfig): string | null {
  const value = config[setting]
  return value === undefined ? null : shown(setting, value)
}

/** A new connector beside those of others: what it must not share with them. */
function clashesWith(config: ConnectorConfig, others: readonly DeployedConnector[]): readonly RuleFinding[] {
  return others.flatMap((other) => {
    const both = new Map([
      [other.name, other.config],
      ['', config],
    ])
    return checkTogether(both).filter(({ connector }) => connector === '')
  })
}
