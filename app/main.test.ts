import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { afterAll, describe, expect, it } from 'vitest'
import { LogError, LostPositionError } from '../engine/index.ts'
import { SealingError } from '../schemas/index.ts'
import { capturedSurroundings } from './cli/testing/captured-surroundings.ts'
import { runCommand } from './main.ts'
import { environmentalFailure } from './start/environmental-failure.ts'

const folder = mkdtempSync(join(tmpdir(), 'waybill-cli-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function waybill(args: string[], options: Parameters<typeof capturedSurroundings>[0] = {}) {
  const surroundings = capturedSurroundings({ cwd: folder, ...options })
  const code = await runCommand(args, surroundings)
  return { code, out: surroundings.stdout.text(), err: surroundings.stderr.text() }
}

describe('the command line', () => {
  it('explains itself, and every command, with examples, on stdout', async () => {
    for (const args of [
      [],
      ['--help'],
      ['start', '--help'],
      ['run', '--help'],
      ['keys', 'new', '--help'],
      ['tokens', 'new', '--help'],
      ['log', 'rebuild', '--help'],
      ['replay', '-h'],
      ['help', 'start'],
      ['topology', 'show', '--help'],
    ]) {
      const { code, out, err } = await waybill(args)
      expect(code, args.join(' ')).toBe(0)
      expect(out).toContain('Usage: waybill')
      expect(out).toContain('Examples:')
      expect(err).toBe('')
    }
  })

  it('prints its version', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
    expect(await waybill(['--version'])).toEqual({ code: 0, out: `${version}\n`, err: '' })
  })

  it.each([
    [['strat'], "unknown command 'strat' — did you mean start? See waybill --help"],
    [['start', '--rat', '5'], "unknown option '--rat' — did you mean --rate? See waybill --help"],
    [['start', '--rate'], "option '--rate <orders>' argument missing — see waybill --help"],
    [['replay'], "missing required argument 'files' — see waybill --help"],
    [['start', 'now'], "too many arguments for 'start'. Expected 0 arguments but got 1 — see waybill --help"],
    [
      ['start', '--rate', 'fast'],
      '--rate "fast" is not a rate — write orders per second, above 0 and up to 2000, e.g. 2 or 0.5',
    ],
    [
      ['start', '--partners', 'none.yaml'],
      `there is no such file (${join(folder, 'none.yaml')}) — check the path`,
    ],
    [
      ['run'],
      'nobody is named to send to — name partners.yaml with --partners, WAYBILL_PARTNERS or "partners:" (an example: app/defaults/partners.yaml)',
    ],
    [['replay', 'x.jsonl'], 'nobody is named to send to — add --dry-run, or name them with --partners'],
    [
      ['replay', '--dry-run', '/none.jsonl'],
      'there is no such file (/none.jsonl) — check the path and the file',
    ],
  ])('answers %j with one line and exit code 2', async (args, line) => {
    const { code, out, err } = await waybill(args)
    expect(code).toBe(2)
    expect(out).toBe('')
    expect(err.split('\n').filter((text) => text.startsWith('waybill:'))).toEqual([`waybill: ${line}`])
  })

  it('shows the help of a command that needs another word, and calls it wrong usage', async () => {
    const { code, err } = await waybill(['topology'])
    expect(code).toBe(2)
    expect(err).toContain('Usage: waybill topology')
  })

  it('draws the pipeline as text and as a diagram', async () => {
    expect((await waybill(['topology', 'show'])).out).toMatch(/^topology waybill[\s\S]*processor deliver/)
    expect((await waybill(['topology', 'show', '--mermaid'])).out).toMatch(/^flowchart/)
  })

  it('calls a bug an internal error, its stack shown only on demand', async () => {
    const broken = (args: string[]) => {
      const surroundings = capturedSurroundings({ cwd: folder })
      const random = {
        next: () => 0,
        bytes: () => {
          throw new TypeError('boom')
        },
      }
      return runCommand(args, { ...surroundings, random }).then((code) => ({
        code,
        err: surroundings.stderr.text(),
      }))
    }
    const quiet = await broken(['topology', 'show'])
    expect(quiet).toEqual({
      code: 1,
      err: 'waybill: internal error: TypeError: boom — run again with --debug for the stack\n',
    })
    expect((await broken(['--debug', 'topology', 'show'])).err).toContain('main.test.ts')
  })
})

describe('waybill replay', () => {
  const fixture = (name: string) =>
    new URL(`../test/fixtures/cdc/mariadb/${name}.jsonl`, import.meta.url).pathname

  it('prints what would be sent, one JSON line each, and the summary on stderr', async () => {
    const { code, out, err } = await waybill(['replay', '--dry-run', fixture('10-crash')])
    expect(code).toBe(0)
    const lines = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(lines).toHaveLength(120)
    expect(Object.keys(lines[0] ?? {})).toEqual(['endpoint_id', 'partner_id', 'payload'])
    expect(lines[0]?.payload).toMatchObject({ event: 'order_confirmed', schema_version: 'v2' })
    expect(err).toMatch(/records +251 /)
    expect(err).toMatch(/duplicates +11\n/)
    expect(err).toMatch(/would be sent +120\n/)
  })

  it('gives the summary as JSON', async () => {
    const { err } = await waybill(['replay', '--dry-run', '--json', fixture('10-crash')])
    expect(JSON.parse(err)).toMatchObject({
      dry_run: true,
      complete: true,
      records_in: 251,
      bad_lines: 0,
      events: { order_confirmed: 40, out_for_delivery: 40, delivered: 40 },
      duplicates_dropped: 11,
      undecodable_total: 0,
      delivered: 120,
    })
  })

  it('goes on past lines that are no record, and fails for them only when strict', async () => {
    const file = join(folder, 'bad.jsonl')
    writeFileSync(file, `nonsense\n${readFileSync(fixture('02-happy-path'), 'utf8')}`)
    const lenient = await waybill(['replay', '--dry-run', file])
    expect(lenient.code).toBe(0)
    expect(lenient.err).toContain(`waybill: not a record: not JSON (${file}:1) — skipped\n`)
    expect((await waybill(['replay', '--dry-run', '--strict', file])).code).toBe(100)
  })

  it('exits 100 for an undecodable record when strict', async () => {
    const { code, err } = await waybill(['replay', '--dry-run', '--strict', fixture('07-schema-change')])
    expect(code).toBe(100)
    expect(err).toMatch(/undecodable +\d+\n.*unknown_status/)
  })

  it('reads standard input', async () => {
    const stdin = readFileSync(fixture('02-happy-path'), 'utf8')
    const { code, out } = await waybill(['replay', '--dry-run', '-'], { stdin })
    expect(code).toBe(0)
    expect(out.trimEnd().split('\n').length).toBeGreaterThan(3)
  })

  it('sends only what the partners’ endpoints ask for', async () => {
    const partners = join(folder, 'partners.yaml')
    writeFileSync(
      partners,
      'partners: [{ id: acme-retail, endpoints: [{ id: a, url: "https://a.example", version: v1, events: delivered }] }]',
    )
    const { out } = await waybill(['replay', '--dry-run', '--partners', partners, fixture('02-happy-path')])
    const sent = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(sent.length).toBeGreaterThan(0)
    for (const { endpoint_id, payload } of sent) {
      expect([endpoint_id, payload.event, payload.schema_version]).toEqual(['a', 'delivered', 'v1'])
    }
  })

  it('ends early, with what it has, when interrupted or when nobody reads any more', async () => {
    for (const [reason, code] of [
      ['SIGINT', 130],
      ['broken-pipe', 0],
    ] as const) {
      const surroundings = capturedSurroundings({ cwd: folder })
      surroundings.stdout.onWrite = () => surroundings.end(reason)
      expect(
        await runCommand(
          ['replay', '--dry-run', fixture('02-happy-path'), fixture('10-crash')],
          surroundings,
        ),
      ).toBe(code)
      expect(surroundings.stderr.text()).toContain('interrupted')
    }
  })
})

describe('waybill start', () => {
  const directory = join(folder, 'data')

  /** Starts it on a terminal, and ends it with `reason` once a webhook has been delivered. */
  async function startUntilDelivered(reason: 'SIGINT' | 'SIGTERM') {
    const terminal = { columns: 100, rows: 40 }
    const surroundings = capturedSurroundings({ cwd: folder, terminal })
    surroundings.stdout.onWrite = (text) => {
      const shown = stripVTControlCharacters(text)
      if (/delivered +[1-9]/.test(shown)) surroundings.end(reason)
    }
    const args = ['start', '--rate', '5', '--port', '0', '--data-dir', directory]
    const code = await runCommand(args, surroundings)
    return { code, out: surroundings.stdout.text(), err: surroundings.stderr.text() }
  }

  /** What stays on the terminal after the alternate screen was left. */
  const standing = (out: string) => stripVTControlCharacters(out.split('\x1b[?1049l')[1] ?? 'nothing')

  it('delivers the demo’s first events, keeps its keys, and finds everything again', async () => {
    const first = await startUntilDelivered('SIGINT')
    expect(first.code).toBe(130)
    expect(first.err).toContain('made the sealing keys')
    expect(first.err).toContain('demo           5 orders/s, seed 1')
    // Leaves the terminal as it was, with the last numbers on it.
    expect(standing(first.out)).toMatch(/^ Waybill[\s\S]*undecodable +0 /)
    const second = await startUntilDelivered('SIGTERM')
    expect(second.code).toBe(0)
    expect(second.err).not.toContain('made the sealing keys')
    expect(standing(second.out)).toMatch(/^ Waybill[\s\S]*undecodable +0 /)
  })

  it('refuses to make new keys for data that old ones sealed', async () => {
    rmSync(join(directory, 'keys.json'))
    const { code, err } = await waybill(['start', '--duration', '1', '--no-api', '--data-dir', directory])
    expect(code).toBe(2)
    expect(err).toContain('the key file is missing, and the data directory holds data')
  })

  it('says which process holds the data directory', async () => {
    const other = join(folder, 'held')
    const surroundings = capturedSurroundings({ cwd: folder, terminal: { columns: 80, rows: 24 } })
    let refused: Promise<Awaited<ReturnType<typeof waybill>>> | undefined
    surroundings.stdout.onWrite = () => {
      refused ??= waybill(['start', '--duration', '1', '--no-api', '--data-dir', other]).finally(() =>
        surroundings.end('SIGTERM'),
      )
    }
    await runCommand(['start', '--no-demo', '--no-api', '--data-dir', other], surroundings)
    const { code, err } = await (refused ?? Promise.reject(new Error('never started')))
    expect(code).toBe(3)
    expect(err).toContain('in use by this process')
  })

  it('words what broke around it, and leaves bugs as they are', () => {
    const full = environmentalFailure(new LogError('rejected', 'no space left on device'))
    expect(full).toMatchObject({
      exitCode: 3,
      message: expect.stringMatching(/^the record log failed: no space.* — mend/),
    })
    expect(environmentalFailure(new SealingError('missing_key', 'k1', 'no key "k1"'))).toMatchObject({
      exitCode: 2,
    })
    expect(
      environmentalFailure(new LostPositionError('deleted', 't:0: … is no longer in the log')),
    ).toMatchObject({
      exitCode: 3,
      message: expect.stringMatching(/^t:0: .*no longer in the log — find out what took it.*topology plan/),
    })
    const bug = new TypeError('x is not a function')
    expect(environmentalFailure(bug)).toBe(bug)
  })
})
