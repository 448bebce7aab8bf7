import { execFile } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type DatabaseDirectory, embeddedMajorVersion, openDatabaseDirectory } from './database-directory.ts'
import { createScratch } from './testing/scratch.ts'

const scratch = createScratch()
afterAll(scratch.remove)

/** Looks like a database from outside. */
let template: string
beforeAll(() => {
  template = scratch.directory()
  mkdirSync(join(template, 'base'))
  writeFileSync(join(template, 'base', '1'), 'table')
  writeFileSync(join(template, 'PG_VERSION'), `${embeddedMajorVersion}\n`)
})

const open = (directory: string): Promise<DatabaseDirectory> =>
  openDatabaseDirectory(directory, [join(directory, 'no-template-here'), template])

describe('the directory of an embedded database', () => {
  it('is filled from the first template that exists, and left alone from then on', async () => {
    const directory = scratch.directory()
    const first = await open(directory)
    expect(first.origin).toBe('template')
    writeFileSync(join(first.dataDir, 'base', '1'), 'ours')
    await first.release()
    const again = await open(directory)
    expect(again.origin).toBe('existing')
    expect(readFileSync(join(again.dataDir, 'base', '1'), 'utf8')).toBe('ours')
    await again.release()
  })

  it('is left to initdb where there is no template', async () => {
    const directory = await openDatabaseDirectory(scratch.directory(), [])
    expect(directory.origin).toBe('initdb')
    expect(existsSync(directory.dataDir)).toBe(false)
    await directory.release()
  })

  it('takes no half-copied template, and nothing that initdb never finished, for a database', async () => {
    const directory = scratch.directory()
    mkdirSync(join(directory, 'data.new', 'base'), { recursive: true })
    mkdirSync(join(directory, 'data', 'global'), { recursive: true })
    const opened = await open(directory)
    expect(opened.origin).toBe('template')
    expect(existsSync(join(directory, 'data.new'))).toBe(false)
    expect(existsSync(join(directory, 'data', 'global'))).toBe(false)
    await opened.release()
  })

  it('is refused while it is open, and says who holds it', async () => {
    const directory = scratch.directory()
    const holder = await open(directory)
    await expect(open(directory)).rejects.toMatchObject({
      name: 'DeliveryLogError',
      reason: 'held',
      message: expect.stringContaining(`the database in ${directory} is in use by this process`),
    })
    await holder.release()
    await (await open(directory)).release()
  })

  it('is refused while another process has it open, and free as soon as that one is dead', async () => {
    const directory = scratch.directory()
    await (await open(directory)).release()
    // What the other process does at first: it takes the lock and says who it is.
    const script = `
      const { ClassicLevel } = require('classic-level')
      const lock = new ClassicLevel(${JSON.stringify(join(directory, 'lock'))})
      lock.open().then(() => {
        require('fs').writeFileSync(${JSON.stringify(join(directory, 'holder'))}, process.pid + '\\n')
        console.log('held')
      })
      setInterval(() => {}, 1000)`
    const running = promisify(execFile)(process.execPath, ['-e', script])
    const { child } = running
    const ended = running.catch(() => undefined)
    await new Promise((resolve) => child.stdout?.once('data', resolve))
    try {
      await expect(open(directory)).rejects.toMatchObject({
        reason: 'held',
        message: expect.stringContaining(`process ${child.pid}`),
      })
    } finally {
      child.kill('SIGKILL')
      await ended
    }
    await (await open(directory)).release()
  })

  it('is refused with data of another PostgreSQL, which stays as it is', async () => {
    const directory = scratch.directory()
    mkdirSync(join(directory, 'data'))
    writeFileSync(join(directory, 'data', 'PG_VERSION'), '19\n')
    for (let n = 0; n < 2; n++) {
      await expect(open(directory)).rejects.toMatchObject({
        reason: 'unusable',
        message: expect.stringContaining('written by PostgreSQL 19'),
      })
    }
    expect(readFileSync(join(directory, 'data', 'PG_VERSION'), 'utf8')).toBe('19\n')
  })

  it.skipIf(process.getuid?.() === 0)('says that it is not writable', async () => {
    const directory = scratch.directory()
    chmodSync(directory, 0o500)
    await expect(open(join(directory, 'log'))).rejects.toMatchObject({
      reason: 'unusable',
      message: expect.stringContaining('make the directory writable'),
    })
  })

  it('says that a file stands in its place', async () => {
    const file = join(scratch.directory(), 'log')
    writeFileSync(file, '')
    await expect(open(file)).rejects.toMatchObject({
      reason: 'unusable',
      message: expect.stringContaining(file),
    })
  })
})
