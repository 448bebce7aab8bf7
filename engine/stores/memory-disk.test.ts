import { describe, expect, it } from 'vitest'
import { diskContract } from './disk.contract.ts'
import { memoryDisks } from './memory-disk.ts'

const put = (key: string) => ({ type: 'put' as const, key, value: Buffer.from(key) })

diskContract('memory disk', async () => ({
  factory: memoryDisks(),
  directory: 'state',
  dispose: async () => {},
}))

describe('memory disk', () => {
  it('refuses one write when told to, applying nothing of it', async () => {
    const disks = memoryDisks()
    const disk = await disks.open('state')
    disks.failNextWrite('state', 'no space left on device')
    await expect(disk.write([put('a'), put('b')])).rejects.toThrow(/no space left/)
    expect(disk.get('a')).toBeUndefined()
    await disk.write([put('a')])
    expect(disk.get('a')).toBeDefined()
  })

  it('keeps unsynced batches over a kill and loses them, as a tail, to a power cut', async () => {
    const disks = memoryDisks()
    const disk = await disks.open('state')
    await disk.write([put('synced')], { sync: true })
    await disk.write([put('unsynced')])
    disks.crash('state')
    expect((await disks.open('state')).get('unsynced')).toBeDefined()

    disks.crash('state')
    const again = await disks.open('state')
    await again.write([{ type: 'delete', key: 'synced' }, put('later')])
    disks.crash('state', { unsynced: 'lose' })
    const last = await disks.open('state')
    expect(last.get('synced')).toBeDefined()
    expect(last.get('later')).toBeUndefined()
  })

  it('refuses the dead holder: a zombie writes nothing', async () => {
    const disks = memoryDisks()
    const zombie = await disks.open('state')
    disks.crash('state')
    const owner = await disks.open('state')
    await expect(zombie.write([put('a')])).rejects.toThrow(/closed/)
    expect(owner.get('a')).toBeUndefined()
  })

  it('drops a write that was still waiting when its holder died', async () => {
    const disks = memoryDisks()
    const disk = await disks.open('state')
    let open = () => {}
    disks.beforeWrite = () =>
      new Promise((resolve) => {
        open = resolve
      })
    const write = disk.write([put('a')])
    await Promise.resolve()
    disks.crash('state')
    open()
    await expect(write).rejects.toThrow(/closed/)
    expect((await disks.open('state')).get('a')).toBeUndefined()
  })
})
