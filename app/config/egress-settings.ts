/** Reads where webhooks may go: http or https alone, networks that are not public, and the proxy that calls leave by. */
import { loopbackEgress, parseNetwork } from '../../connectors/webhook/address-vetting.ts'
import type { EgressSettings } from '../../connectors/webhook/http-sender.ts'
import type { EgressProxy } from '../../connectors/webhook/proxy-tunnel.ts'
import type { Problem } from '../cli/cli-error.ts'
import { settingDefaults } from './setting-defaults.ts'
import { readSwitch, wrong } from './setting-values.ts'
import type { Given, SettingsFile } from './settings-file.ts'

/** The settings as they were given, by whoever found out who wins. */
export interface GivenEgress {
  readonly allowHttp: Given
  /** From the environment; the file's is a list and read here. */
  readonly allowedNetworks: Given
  readonly proxy: Given
  readonly proxyResolvesNames: Given
  /** With the demo, its receivers on this machine may be called, over http. */
  readonly demo: boolean
}

export function readEgress(given: GivenEgress, file: SettingsFile): EgressSettings {
  const { problems } = file
  const defaults = settingDefaults.egress
  const networks = given.allowedNetworks ? networksOf(given.allowedNetworks, problems) : networksInFile(file)
  const url = readProxyUrl(given.proxy, problems)
  const resolvesNames = readSwitch(given.proxyResolvesNames, defaults.proxy_resolves_names, problems)
  const proxy: EgressProxy | null = url === undefined ? null : { url, resolvesNames }
  const allowHttp = readSwitch(given.allowHttp, defaults.allow_http, problems)
  if (!given.demo) return { allowHttp, allowedNetworks: networks, proxy }
  return { allowHttp: true, allowedNetworks: [...networks, ...loopbackEgress.allowedNetworks], proxy }
}

const networkMend = 'write networks like 10.20.0.0/16 or fd12:3456::/32; one machine is 10.20.0.7/32'

function networksOf(given: NonNullable<Given>, problems: Problem[]): readonly string[] {
  const networks = given.text.split(/[\s,]+/).filter((text) => text !== '')
  if (!networks.every(parseNetwork)) problems.push(wrong(given, 'is no list of networks', networkMend))
  return networks.filter(parseNetwork)
}

function networksInFile({ group, reader }: SettingsFile): readonly string[] {
  const fields = group('egress')
  if (!reader || fields?.has('allowed_networks') !== true) return []
  const networks: string[] = []
  for (const [index, item] of (fields.list('allowed_networks', networkMend) ?? []).entries()) {
    const text = String(item)
    if (parseNetwork(text)) networks.push(text)
    else reader.problem(['egress', 'allowed_networks', index], `"${text}" is not a network`, networkMend)
  }
  return networks
}

/** Credentials in it come from the environment alone; the message never quotes it. */
function readProxyUrl(given: Given, problems: Problem[]): string | undefined {
  if (given === undefined) return undefined
  const problem = (what: string, mend: string): undefined => {
    problems.push({ what: `${given.name} ${what}`, mend, ...(given.place && { place: given.place }) })
    return undefined
  }
  if (!/^https?:\/\/./.test(given.text) || !URL.canParse(given.text)) {
    return problem('is not the address of a proxy', 'write it like http://proxy.example.com:3128')
  }
  const { username, password, pathname } = new URL(given.text)
  if (pathname !== '/') return problem('has a path', 'a proxy has host and port only')
  if (given.place && (username !== '' || password !== '')) {
    return problem('holds credentials', 'give the whole address in WAYBILL_EGRESS_PROXY instead')
  }
  return given.text
}
