/** Signing secrets that Waybill makes: shown once, kept sealed, and nowhere in clear. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { capturedSurroundings } from '../../app/cli/testing/captured-surroundings.ts'
import { runCommand } from '../../app/main.ts'
import { systemRandom } from '../../engine/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'waybill-secrets-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const partners = (more: string) =>
  `partners: [{ id: acme, endpoints: [{ id: e1, url: "https://hooks.acme.invalid/x"${more} }] }]`

/** Runs it until its settings are published, with these partners, and answers what it said. */
async function runWith(text: string): Promise<string> {
  writeFileSync(join(folder, 'partners.yaml'), text)
  const surroundings = { ...capturedSurroundings({ cwd: folder }), random: systemRandom }
  const args = ['run', '--partners', 'partners.yaml', '--no-api', '--duration', '500ms']
  expect(await runCommand(args, surroundings), surroundings.stderr.text()).toBe(0)
  return surroundings.stderr.text()
}

it('a made secret is shown by the start that makes it, and lies nowhere in clear', {
  timeout: 60_000,
}, async () => {
  const keyFile = join(folder, '.waybill/keys.json')
  expect(await runCommand(['keys', 'new', keyFile], capturedSurroundings({ cwd: folder }))).toBe(0)
  const secretIn = (text: string) => /made the signing secret of e1; .*: (\S+)/.exec(text)?.[1]
  const first = secretIn(await runWith(partners('')))
  expect(first).toMatch(/^whsec_.{44}$/)
  expect(secretIn(await runWith(partners('')))).toBeUndefined()
  const second = secretIn(await runWith(partners(', secret_number: 2, signature: ed25519')))
  expect(second).toMatch(/^whpk_/)

  const files = readdirSync(join(folder, '.waybill'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name)))
  expect(files.length).toBeGreaterThan(3)
  const lies = (text: string) => files.some((bytes) => bytes.includes(text))
  expect(lies('hooks.acme.invalid')).toBe(true)
  expect(lies((first ?? '').slice('whsec_'.length))).toBe(false)
  expect(lies(Buffer.from((first ?? '').slice('whsec_'.length), 'base64').toString('latin1'))).toBe(false)
})
