/** `waybill schemas` with what ships, on a registry that holds nothing yet: what a new installation does first. */
import { describe, expect, it } from 'vitest'
import { capturedSurroundings } from '../../app/cli/testing/captured-surroundings.ts'
import { runCommand } from '../../app/main.ts'
import { ownService } from '../stack/services.ts'

describe('the schemas that ship', () => {
  it('are planned, applied, and as planned from then on', async () => {
    await using registry = await ownService('registry')
    const schemas = async (...args: string[]) => {
      const around = capturedSurroundings({ cwd: import.meta.dirname })
      const code = await runCommand(['schemas', ...args, '--registry', registry.url], around)
      return { code, out: around.stdout.text(), err: around.stderr.text() }
    }
    const planned = await schemas('plan')
    expect([planned.code, planned.err]).toEqual([100, expect.stringMatching(/\d+ levels, \d+ versions/)])
    const applied = await schemas('apply')
    expect([applied.code, applied.err]).toEqual([0, expect.stringMatching(/\d+ levels, \d+ versions/)])
    expect(await schemas('plan')).toMatchObject({ code: 0 })
    expect(await schemas('apply')).toMatchObject({ code: 0, out: expect.stringMatching(/^nothing to do/) })
  })
})
