/** A connector's configuration: settings by name, all texts. Which of them are secrets, and what may be shown. */

export type ConnectorConfig = Readonly<Record<string, string>>

/** What a connector was given; Connect adds the name, which is none of the settings. */
export function readConfig(value: unknown): ConnectorConfig {
  if (typeof value !== 'object' || value === null) return {}
  const entries = Object.entries(value).filter(([setting]) => setting !== 'name')
  return Object.fromEntries(entries.map(([setting, found]) => [setting, String(found)]))
}

/** Names of settings whose value is nobody's business; also those of client libraries and of converters. */
const secretNames =
  /(password|passwd|passphrase|secret|token|credential|sasl\.jaas\.config|basic\.auth\.user\.info|private\.?key|ssl\.key$|\.pem$)/i

export const isSecretSetting = (setting: string): boolean =>
  secretNames.test(setting) && !/\.(file|path|location|class|url|type)$/i.test(setting)

/** `${env:NAME}`, `${file:/path:key}` and the like: looked up by the worker, never shown by it. */
const reference = /^\$\{[A-Za-z][\w-]*:[^}]+\}$/

export const isReference = (value: string): boolean => reference.test(value)

/** A value as it may be printed: the place of a secret, never the secret. */
export const shown = (setting: string, value: string): string =>
  isSecretSetting(setting) && !isReference(value) ? '***' : value
