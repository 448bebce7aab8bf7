import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { diskContract } from './disk.contract.ts'
import { levelDisks } from './level-disk.ts'

const temporary = () => mkdtemp(join(tmpdir(), 'waybill-disk-'))

diskContract('LevelDB disk', async () => {
  const directory = await temporary()
  return {
    factory: levelDisks(),
    directory,
    dispose: () => rm(directory, { recursive: true, force: true }),
  }
})

describe('LevelDB disk', () => {
  let directory: string
  beforeEach(async () => {
    directory = await temporary()
  })
  afterEach(async () => {
    await rm(directory, { recursive: true, force: true })
  })

  it('names the process that holds the directory', async () => {
    const disk = await levelDisks().open(directory)
    await writeFile(join(directory, 'holder'), '4711\n')
    await expect(levelDisks().open(directory)).rejects.toThrow(/in use by process 4711: stop it/)
    await disk.close()
  })

  it('opens a directory whose holder died without a word', async () => {
    const disk = await levelDisks().open(directory)
    await disk.close()
    await writeFile(join(directory, 'holder'), `${process.ppid}\n`)
    await (await levelDisks().open(directory)).close()
  })

  it('refuses a newer format, and a directory of something else, leaving both alone', async () => {
    const disk = await levelDisks().open(directory)
    await disk.close()
    const file = join(directory, 'format')
    expect(await readFile(file, 'utf8')).toBe('waybill-state 1\n')
    await writeFile(file, 'waybill-state 2\n')
    await expect(levelDisks().open(directory)).rejects.toThrow(/written by a newer version; start that one/)
    await writeFile(file, 'photos\n')
    await expect(levelDisks().open(directory)).rejects.toThrow(/belongs to something else/)
    expect(await readFile(file, 'utf8')).toBe('photos\n')
  })

  it('says what to do about a path that is no directory', async () => {
    const file = join(directory, 'file')
    await writeFile(file, '')
    await expect(levelDisks().open(join(file, 'state'))).rejects.toThrow(/cannot create .*ENOTDIR/)
  })

  it.skipIf(process.getuid?.() === 0)('says what to do about a read-only directory', async () => {
    await chmod(directory, 0o500)
    await expect(levelDisks().open(directory)).rejects.toThrow(/make the directory writable/)
    await chmod(directory, 0o700)
  })
})
