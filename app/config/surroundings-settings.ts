/** Reads what lies around an instance: Kafka, the registry, dispatch, its roles, and who is told about endpoints. */
import { dirname, resolve } from 'node:path'
import type { RegistryAddress } from '../../connectors/registry/registry-address.ts'
import type { EgressSettings } from '../../connectors/webhook/http-sender.ts'
import type { HealthRules } from '../../processors/watch/watch.ts'
import { type DispatchSettings, readDispatch } from './dispatch-settings.ts'
import type { Variable } from './environment.ts'
import { readHealth } from './health-settings.ts'
import { type KafkaSettings, readKafka } from './kafka-settings.ts'
import { type NoticeWays, readNoticeWays } from './notice-settings.ts'
import { readRegistry } from './registry-settings.ts'
import { type Role, readRoles } from './roles.ts'
import type { GivenSecret } from './secret-settings.ts'
import type { SettingGroup, SettingPath } from './setting-defaults.ts'
import type { Given, GivenSetting, SettingsFile } from './settings-file.ts'

export interface SurroundingSettings {
  readonly kafka: KafkaSettings | undefined
  readonly registry: RegistryAddress | undefined
  readonly dispatch: DispatchSettings | undefined
  readonly roles: readonly Role[]
  /** When an endpoint is at risk or failing. */
  readonly health: HealthRules
  /** Who is told about it, and how. */
  readonly notices: NoticeWays
}

/** How the configuration finds out who set what. */
export interface SettingSource {
  given(setting: SettingPath, variable?: Variable, flag?: readonly [string, string | undefined]): Given
  inherited(setting: SettingPath, variable: Variable): Given
  secret(setting: SettingPath, variable: Variable): GivenSecret | undefined
}

export function readSurroundingSettings(
  { given, inherited, secret }: SettingSource,
  file: SettingsFile,
  {
    cwd,
    rolesFlag,
    egress,
  }: { readonly cwd: string; readonly rolesFlag: string | undefined; readonly egress: EgressSettings },
): SurroundingSettings {
  const { problems } = file
  const pathOf = (setting: GivenSetting) =>
    resolve(setting.place ? dirname(setting.place.file) : cwd, setting.text)
  const brokers = inherited('kafka.brokers', 'WAYBILL_KAFKA_BROKERS')
  const roles = given('roles', 'WAYBILL_ROLES', ['--roles', rolesFlag])
  return {
    kafka: readKafka(
      {
        brokers: brokers
          ? { names: wordsOf(brokers.text), given: brokers }
          : listInFile(file, 'kafka', 'brokers'),
        of: (key) => given(`kafka.${key}`, key === 'username' ? 'WAYBILL_KAFKA_USERNAME' : undefined),
        password: secret('kafka.password_file', 'WAYBILL_KAFKA_PASSWORD'),
        pathOf,
      },
      problems,
    ),
    registry: readRegistry(
      {
        of: (key) => given(`registry.${key}`, key === 'url' ? 'WAYBILL_REGISTRY_URL' : undefined),
        password: secret('registry.password_file', 'WAYBILL_REGISTRY_PASSWORD'),
        token: secret('registry.token_file', 'WAYBILL_REGISTRY_TOKEN'),
        pathOf,
      },
      problems,
    ),
    dispatch: readDispatch(
      {
        address: given('dispatch.address', 'WAYBILL_DISPATCH_ADDRESS'),
        deadline: given('dispatch.deadline'),
        tls: given('dispatch.tls'),
        caFile: given('dispatch.ca_file'),
        certFile: given('dispatch.cert_file'),
        keyFile: given('dispatch.key_file'),
        serverName: given('dispatch.server_name'),
        token: secret('dispatch.token_file', 'WAYBILL_DISPATCH_TOKEN'),
        cwd,
      },
      problems,
    ),
    roles: readRoles(roles && wordsOf(roles.text), roles, problems),
    health: readHealth((key) => given(`health.${key}`), problems),
    notices: readNoticeWays(
      {
        of: (key) => given(`notices.${key}`),
        email: listInFile(file, 'notices', 'email'),
        secret: secret('notices.webhook_secret_file', 'WAYBILL_NOTICE_SECRET'),
        smtpUrl: secret('notices.smtp_url_file', 'WAYBILL_SMTP_URL'),
        egress,
      },
      problems,
    ),
  }
}

const wordsOf = (text: string): string[] => text.split(/[\s,]+/).filter((word) => word !== '')

/** A list in the file, as if it had been given as one text: messages name it by its key. */
function listInFile(file: SettingsFile, group: SettingGroup, key: string) {
  const fields = file.group(group)
  if (fields?.has(key) !== true) return undefined
  const items = fields.list(key, 'write a list')
  if (!items || items.length === 0) return undefined
  const names = items.map(String)
  return { names, given: { text: names.join(), name: `"${group}.${key}"` } }
}
