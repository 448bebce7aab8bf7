import { describe, expect, it } from 'vitest'
import { endpointDefaults } from '../../app/config/partner-settings.ts'
import { tellUncallable } from '../../app/start/tell-uncallable.ts'
import { strictEgress } from '../../connectors/webhook/address-vetting.ts'
import { DialError } from '../../connectors/webhook/dial-error.ts'
import { type HostCheckOptions, makeHostCheck } from '../../connectors/webhook/host-check.ts'
import { systemClock } from '../../engine/index.ts'

const names: Record<string, readonly string[]> = {
  'good.test': ['93.184.215.14', '2606:2800:21f:cb07:6820:80da:af6b:8b2c'],
  'mixed.test': ['93.184.215.14', '10.1.2.3'],
}
const resolve = async (hostname: string) => {
  const found = names[hostname]
  if (!found) throw new DialError('dns', `the name ${hostname} is not known: ENOTFOUND`)
  return found
}
const check = (url: string, egress: HostCheckOptions['egress'] = strictEgress) =>
  makeHostCheck({ egress, clock: systemClock, resolve })(url)

describe('an endpoint that is registered', () => {
  it('is judged by its name’s addresses, as a call would be', async () => {
    expect(await check('https://good.test/hook')).toBeUndefined()
    expect(await check('https://mixed.test/hook')).toContain('10.1.2.3 is not public (private)')
    expect(await check('https://nobody.test/hook')).toContain('nobody.test is not known')
    expect(await check('https://[::1]/hook')).toContain('not public (loopback)')
    expect(await check('http://good.test/hook')).toBe('http is not allowed, only https')
    expect(await check('nonsense')).toBe('it is not a URL')
  })

  it('is judged by its scheme alone where a proxy looks names up', async () => {
    const egress = { ...strictEgress, proxy: { url: 'http://proxy.test:3128', resolvesNames: true } }
    expect(await check('https://mixed.test/hook', egress)).toBeUndefined()
    expect(await check('http://mixed.test/hook', egress)).toContain('only https')
  })

  it('is told at the start, unless it takes nothing', async () => {
    const endpoint = (id: string, changes = {}) => ({
      ...endpointDefaults,
      id,
      url: 'https://mixed.test/hook',
      version: 'v2' as const,
      secrets: [],
      maxAgeMs: {},
      ...changes,
    })
    const endpoints = [
      endpoint('bad'),
      endpoint('off', { state: 'disabled' }),
      endpoint('good', { url: 'https://good.test/' }),
    ]
    const notes: string[] = []
    await tellUncallable(
      [{ id: 'acme', name: 'Acme', endpoints }],
      makeHostCheck({ egress: strictEgress, clock: systemClock, resolve }),
      new AbortController().signal,
      (text) => notes.push(text),
    )
    expect(notes).toHaveLength(1)
    expect(notes[0]).toMatch(/^waybill: webhooks for bad would not be sent now: mixed\.test .*10\.1\.2\.3/)
  })
})
