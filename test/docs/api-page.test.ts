import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { afterAll, describe, expect, it } from 'vitest'
import { errorTable } from '../../api/errors.ts'
import { sampleAsOf } from '../../api/testing/sample-log.ts'
import { testApi } from '../../api/testing/test-api.ts'
import { capturedSurroundings } from '../../app/cli/testing/captured-surroundings.ts'
import { defaultApiPort } from '../../app/config/setting-defaults.ts'
import { runCommand } from '../../app/main.ts'
import { manualClock } from '../../engine/index.ts'
import { curlRequest, shellExamples } from './shell-blocks.ts'

const page = readFileSync(new URL('../../docs/api.md', import.meta.url), 'utf8')
const examples = shellExamples(page)
const plain = testApi({ auth: 'none', version: '0.1.0' })
afterAll(async () => (await plain).app.close())

/** Rows of the table under a heading, by the code in their first cell. */
const tableUnder = (heading: string): string[] => {
  const section = page.split(`## ${heading}\n`)[1]?.split('\n## ')[0] ?? ''
  return [...section.matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1] ?? '')
}

describe('docs/api.md', () => {
  it('has examples of both kinds, and names the port that is in use', () => {
    expect(examples.filter(({ command }) => command.startsWith('curl')).length).toBeGreaterThan(4)
    expect(examples.filter(({ command }) => command.startsWith('waybill')).length).toBeGreaterThan(2)
    expect(page).toContain(`127.0.0.1:${defaultApiPort}`)
  })

  it.each(examples.filter(({ command }) => command.startsWith('curl')))(
    'shows what really comes: $command',
    async ({ command, output }) => {
      const asked = curlRequest(command)
      if (!asked) throw new Error('an example that this test does not understand')
      const { app } = await plain
      const answer = await app.inject({ ...asked, headers: { host: '127.0.0.1:4929', ...asked.headers } })
      // Shown with line breaks of its own, so it is compared as what it says.
      expect(JSON.parse(output)).toEqual(answer.json())
    },
  )

  it.each(examples.filter(({ command }) => command.startsWith('waybill')))(
    'shows what is really printed: $command',
    async ({ command, output }) => {
      const { app } = await plain
      if (!app.server.listening) await app.listen({ host: '127.0.0.1', port: 0 })
      const surroundings = capturedSurroundings({
        clock: manualClock(sampleAsOf),
        env: { WAYBILL_URL: `http://127.0.0.1:${(app.server.address() as AddressInfo).port}` },
      })
      await runCommand(command.split(' ').slice(1), surroundings)
      expect(output).toBe(`${surroundings.stdout.text()}${surroundings.stderr.text()}`.trimEnd())
    },
  )

  it('lists every route, and no other', async () => {
    const routes = (await plain).routes.filter(({ name }) => !name.startsWith('HEAD '))
    expect(tableUnder('Routes').sort()).toEqual(
      routes.map(({ name }) => name.replaceAll(/:(\w+)/g, '{$1}')).sort(),
    )
  })

  it('lists every code of an error, and no other', () => {
    expect(tableUnder('Errors').sort()).toEqual(Object.keys(errorTable).sort())
  })
})
