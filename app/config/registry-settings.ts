/** Reads where the schema registry is and how it lets us in. Without one, the schemas that ship are the registry. */
import type { RegistryAddress, RegistryAuth } from '../../connectors/registry/registry-address.ts'
import type { Problem } from '../cli/cli-error.ts'
import { readPemFile } from './pem-file.ts'
import type { GivenSecret } from './secret-settings.ts'
import { wrong } from './setting-values.ts'
import type { Given, GivenSetting } from './settings-file.ts'
import type { registryDefaults } from './surroundings-defaults.ts'

/** The settings as they were given. */
export interface GivenRegistry {
  readonly of: (key: Exclude<keyof typeof registryDefaults, 'password_file' | 'token_file'>) => Given
  readonly password: GivenSecret | undefined
  readonly token: GivenSecret | undefined
  /** Absolute. */
  readonly pathOf: (given: GivenSetting) => string
}

export function readRegistry(given: GivenRegistry, problems: Problem[]): RegistryAddress | undefined {
  const url = given.of('url')
  if (!url) return undefined
  if (!isAddress(url.text)) {
    const mend =
      'write it like https://registry.internal:8081, with credentials in username and password_file'
    problems.push(wrong({ ...url, text: withoutCredentials(url.text) }, 'is no address of a registry', mend))
    return undefined
  }
  const auth = readAuth(given, problems)
  const pem = (key: 'ca_file' | 'cert_file' | 'key_file') => {
    const setting = given.of(key)
    return setting && readPemFile(setting.name, given.pathOf(setting), problems)
  }
  const [ca, cert, key] = [pem('ca_file'), pem('cert_file'), pem('key_file')]
  const tls = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) }
  return { url: url.text, ...(auth && { auth }), ...(Object.keys(tls).length > 0 && { tls }) }
}

function isAddress(text: string): boolean {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) return false
  const { username, password } = new URL(text)
  return username === '' && password === ''
}

/** No message quotes a password. */
const withoutCredentials = (text: string): string => text.replace(/\/\/[^/@]*@/, '//***@')

function readAuth({ of, password, token }: GivenRegistry, problems: Problem[]): RegistryAuth | undefined {
  if (token) return { kind: 'bearer', token: token.text }
  const username = of('username')
  if (!username && !password) return undefined
  if (username && password) return { kind: 'basic', username: username.text, password: password.text }
  problems.push({
    what: `the registry's ${username ? 'username has no password' : 'password has no username'}`,
    mend: 'write both registry.username and registry.password_file (or WAYBILL_REGISTRY_PASSWORD)',
    ...(username?.place && { place: username.place }),
  })
  return undefined
}
