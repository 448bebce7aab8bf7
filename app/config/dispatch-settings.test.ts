import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { Problem } from '../cli/cli-error.ts'
import { type GivenDispatch, readDispatch } from './dispatch-settings.ts'

const folder = mkdtempSync(join(tmpdir(), 'waybill-dispatch-'))
afterAll(() => rmSync(folder, { recursive: true }))
for (const name of ['ca', 'cert', 'key'])
  writeFileSync(join(folder, `${name}.pem`), `-----BEGIN ${name}-----\n`)
writeFileSync(join(folder, 'no.pem'), 'hello')

function read(
  settings: Partial<Record<Exclude<keyof GivenDispatch, 'token' | 'cwd'>, string>>,
  token?: string,
) {
  const problems: Problem[] = []
  const given = (key: keyof typeof settings) => {
    const text = settings[key]
    return text === undefined ? undefined : { text, name: `"dispatch.${key}"` }
  }
  const dispatch = readDispatch(
    {
      address: given('address'),
      deadline: given('deadline'),
      tls: given('tls'),
      caFile: given('caFile'),
      certFile: given('certFile'),
      keyFile: given('keyFile'),
      serverName: given('serverName'),
      token: token === undefined ? undefined : { text: token, name: 'token_file', from: 'a file' },
      cwd: folder,
    },
    problems,
  )
  return { dispatch, problems: problems.map(({ what, mend }) => `${what} — ${mend}`) }
}

describe('the settings of dispatch', () => {
  it('ask nobody unless an address is given', () => {
    expect(read({})).toEqual({ dispatch: undefined, problems: [] })
    expect(read({ deadline: '1s' }).problems.join()).toContain('no effect without dispatch.address')
  })

  it('take an address, a deadline and a token', () => {
    expect(read({ address: 'dispatch.internal:7443' }).dispatch).toEqual({
      address: 'dispatch.internal:7443',
      deadlineMs: 500,
    })
    expect(read({ address: '[::1]:7443', deadline: '250ms' }, 'secret').dispatch).toEqual({
      address: '[::1]:7443',
      deadlineMs: 250,
      token: 'secret',
    })
  })

  it('read certificates beside the configuration', () => {
    const settings = {
      address: 'd:1',
      tls: 'true',
      caFile: 'ca.pem',
      certFile: 'cert.pem',
      keyFile: 'key.pem',
    }
    expect(read({ ...settings, serverName: 'dispatch.test' })).toEqual({
      dispatch: {
        address: 'd:1',
        deadlineMs: 500,
        tls: {
          ca: '-----BEGIN ca-----\n',
          cert: '-----BEGIN cert-----\n',
          key: '-----BEGIN key-----\n',
          serverName: 'dispatch.test',
        },
      },
      problems: [],
    })
    expect(read({ address: 'd:1', tls: 'true' }).dispatch).toMatchObject({ tls: {} })
  })

  it('say what is wrong and what mends it, all at once', () => {
    const bad = read({
      address: 'http://d:1',
      deadline: '1h',
      tls: 'true',
      certFile: 'no.pem',
      caFile: 'none.pem',
    })
    expect(bad.dispatch).toBeUndefined()
    expect(bad.problems.join('\n')).toMatch(/no time to wait/)
    expect(bad.problems.join('\n')).toMatch(/needs its other half/)
    expect(bad.problems.join('\n')).toMatch(/cannot be read: ENOENT/)
    expect(bad.problems.join('\n')).toMatch(/holds nothing in PEM/)
    expect(bad.problems.join('\n')).toMatch(/not the address of a gRPC server — write it like/)
    expect(read({ address: 'd:1', caFile: 'ca.pem' }).problems.join()).toContain('set dispatch.tls to true')
    for (const address of ['d', 'd:0', 'd:70000', '[zz]:1', ':1']) {
      expect(read({ address }).problems).toHaveLength(1)
    }
  })
})
