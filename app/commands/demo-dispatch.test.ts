import { describe, expect, it } from 'vitest'
import { capturedSurroundings } from '../cli/testing/captured-surroundings.ts'
import { runCommand } from '../main.ts'

const nobody = 'mysql://oms:oms@127.0.0.1:1'

async function demoDispatch(...args: string[]) {
  const surroundings = capturedSurroundings({ cwd: '/' })
  const code = await runCommand(['demo-dispatch', ...args], surroundings)
  return { code, err: surroundings.stderr.text() }
}

describe('waybill demo-dispatch', () => {
  it('refuses what is no address, before it asks anybody', async () => {
    expect(await demoDispatch('--database', 'oms')).toMatchObject({
      code: 2,
      err: expect.stringContaining('write it like mysql://oms:oms@127.0.0.1:13306'),
    })
    for (const listen of ['19051', '127.0.0.1:', '127.0.0.1:70000']) {
      expect(await demoDispatch('--database', nobody, '--listen', listen)).toMatchObject({
        code: 2,
        err: expect.stringContaining(`--listen ${listen} is not an address`),
      })
    }
  })

  it('says that the database cannot be used', async () => {
    expect(await demoDispatch('--database', nobody)).toMatchObject({
      code: 3,
      err: expect.stringContaining('the order database cannot be used'),
    })
  })
})
