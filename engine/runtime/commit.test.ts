import { describe, expect, it } from 'vitest'
import type { Operation } from '../record-log/memory/levers.ts'
import type { LogErrorKind } from '../record-log/port.ts'
import type { TestDriver } from '../testing.ts'
import {
  counting,
  gate,
  input,
  openScene,
  output,
  outputs,
  records,
  sceneName,
  sceneTopology,
  turns,
} from './testing/scene.ts'

const openCounting = () => openScene(sceneTopology(counting))

const changelog = `${sceneName}.p.kept-changelog`

async function committedOffset(driver: TestDriver): Promise<number | undefined> {
  const tp = { topic: input.name, partition: 0 }
  const found = await driver.log.admin.committedOffsets(sceneName, [tp], { requireStable: true })
  return found.get('in:0')?.offset
}

describe('a commit', () => {
  it('makes outputs, changelog and offsets visible together, and only when it has ended', async () => {
    const driver = await openCounting()
    const committing = gate()
    driver.log.levers.before = (operation, who) =>
      operation === 'end' && who === 'a' ? committing.passed : undefined
    await driver.append(input, ...records('k', 'k'))
    await turns()
    expect(await driver.readRaw(output.name, 'read_uncommitted')).toHaveLength(2)
    expect(await driver.readRaw(output.name)).toEqual([])
    expect(await driver.readRaw(changelog)).toEqual([])
    committing.open()
    await driver.settle()
    expect(await outputs(driver)).toEqual(['k=1', 'k=2'])
    expect((await driver.readRaw(changelog)).length).toBeGreaterThan(0)
    expect(await committedOffset(driver)).toBe(2)
    await driver.close()
  })

  const steps: [step: string, operation: Operation][] = [
    ['2', 'transaction_append'],
    ['3', 'commit_offsets'],
    ['4', 'end'],
  ]
  const kinds: LogErrorKind[] = ['abortable', 'fenced']

  it.each(steps.flatMap(([step, operation]) => kinds.map((kind) => ({ step, operation, kind }))))(
    'that fails at step $step ($operation, $kind) leaves nothing, and is made good',
    async ({ operation, kind }) => {
      const driver = await openCounting()
      await driver.pipe(input, ...records('k'))
      driver.log.levers.failNext(operation, kind, { transactionalId: 'a' })
      await driver.pipe(input, ...records('k', 'j'))
      expect(await outputs(driver)).toEqual(['k=1', 'k=2', 'j=1'])
      expect(driver.application('a').counters.snapshot().get(`commits.failed{kind="${kind}"}`)).toBe(1)
      expect(await committedOffset(driver)).toBe(3)
      await driver.close()
    },
  )

  it.each(['transaction_append', 'commit_offsets'] as const)(
    'is ended only when outputs and offsets were both taken: %s is waited for',
    async (operation) => {
      const driver = await openCounting()
      const asked: Operation[] = []
      const late = gate()
      driver.log.levers.before = (what, who) => {
        if (who !== 'a') return undefined
        asked.push(what)
        return what === operation ? late.passed : undefined
      }
      await driver.append(input, ...records('k'))
      await turns()
      expect(asked).toEqual(expect.arrayContaining(['transaction_append', 'commit_offsets']))
      expect(asked).not.toContain('end')
      late.open()
      await driver.settle()
      expect(asked).toContain('end')
      expect(await outputs(driver)).toEqual(['k=1'])
      await driver.close()
    },
  )

  it.each([
    ['transaction_append', 'commit_offsets'],
    ['commit_offsets', 'transaction_append'],
  ] as const)('of which %s is refused is aborted only when %s was answered', async (refused, other) => {
    const driver = await openCounting()
    await driver.pipe(input, ...records('k'))
    let ends = 0
    const late = gate()
    driver.log.levers.before = (what, who) => {
      if (who === 'a' && what === 'end') ends++
      return who === 'a' && what === other ? late.passed : undefined
    }
    driver.log.levers.failNext(refused, 'abortable', { transactionalId: 'a' })
    await driver.append(input, ...records('k'))
    await turns()
    expect(ends).toBe(0)
    late.open()
    await driver.settle()
    expect(ends).toBeGreaterThan(0)
    expect(await outputs(driver)).toEqual(['k=1', 'k=2'])
    await driver.close()
  })

  it('whose outputs and offsets are both refused goes by the fence', async () => {
    const driver = await openCounting()
    await driver.pipe(input, ...records('k'))
    driver.log.levers.failNext('transaction_append', 'abortable', { transactionalId: 'a' })
    driver.log.levers.failNext('commit_offsets', 'fenced', { transactionalId: 'a' })
    await driver.pipe(input, ...records('k'))
    expect(await outputs(driver)).toEqual(['k=1', 'k=2'])
    expect(driver.application('a').counters.snapshot().get('commits.failed{kind="fenced"}')).toBe(1)
    await driver.close()
  })

  it.each(['transaction_append', 'commit_offsets', 'end'] as const)(
    'makes a call again that fails as retriable (%s), without closing its tasks',
    async (operation) => {
      const driver = await openCounting()
      driver.log.levers.failNext(operation, 'retriable', { transactionalId: 'a', times: 2 })
      await driver.pipe(input, ...records('k'))
      expect(await outputs(driver)).toEqual(['k=1'])
      expect(driver.reports).toEqual([])
      await driver.close()
    },
  )

  it.each([true, false])('sends the same end again when its reply is lost (applied: %s)', async (applied) => {
    const driver = await openCounting()
    driver.log.levers.loseEndReply({ applied, times: 3, transactionalId: 'a' })
    await driver.pipe(input, ...records('k', 'k'))
    expect(await outputs(driver)).toEqual(['k=1', 'k=2'])
    expect(driver.reports).toEqual([])
    await driver.close()
  })

  it.each([true, false])(
    'whose outcome stays unknown is neither lost nor repeated (applied: %s)',
    async (applied) => {
      const driver = await openCounting()
      await driver.pipe(input, ...records('k'))
      driver.log.levers.loseEndReply({ applied, times: 5, transactionalId: 'a' })
      await driver.pipe(input, ...records('k', 'k'))
      await driver.pipe(input, ...records('k'))
      expect(await outputs(driver)).toEqual(['k=1', 'k=2', 'k=3', 'k=4'])
      expect(driver.application('a').counters.snapshot().get('commits.failed{kind="outcome_unknown"}')).toBe(
        1,
      )
      await driver.close()
    },
  )

  it('writes state to disk only after it has ended: a crash before leaves the disk as it was', async () => {
    const driver = await openCounting()
    await driver.pipe(input, ...records('k'))
    const writes: number[] = []
    driver.disks.beforeWrite = async (_directory, operations) => {
      writes.push(operations.length)
    }
    driver.log.levers.before = (operation, who) => {
      if (operation === 'end' && who === 'a') driver.application('a').kill()
      return undefined
    }
    await driver.append(input, ...records('k'))
    await turns()
    expect(writes).toEqual([])
    driver.log.levers.before = undefined
    await driver.crash('a')
    await driver.start('a')
    await driver.settle()
    expect(await outputs(driver)).toEqual(['k=1', 'k=2'])
    await driver.close()
  })

  it('that ended before a crash, with the disk left behind, is caught up from the changelog', async () => {
    const driver = await openCounting()
    await driver.pipe(input, ...records('k'))
    driver.disks.beforeWrite = async () => driver.application('a').kill()
    await driver.append(input, ...records('k'))
    await turns()
    driver.disks.beforeWrite = undefined
    await driver.crash('a')
    await driver.start('a')
    await driver.pipe(input, ...records('k'))
    expect(await outputs(driver)).toEqual(['k=1', 'k=2', 'k=3'])
    await driver.close()
  })

  it('that the log refuses as wrong, or whose disk fails, stops the instance loudly', async () => {
    const driver = await openCounting()
    driver.disks.failNextWrite('a')
    await driver.append(input, ...records('k'))
    await expect(driver.application('a').failed).rejects.toThrow(/no space left/)
    await driver.crash('a')
    await driver.start('a')
    await driver.pipe(input, ...records('k'))
    expect(await outputs(driver)).toEqual(['k=1', 'k=2'])
    driver.log.levers.failNext('transaction_append', 'rejected', { transactionalId: 'a' })
    await driver.append(input, ...records('k'))
    await expect(driver.application('a').failed).rejects.toThrow(/rejected/)
    await driver.close()
  })
})
