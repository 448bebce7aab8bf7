/** Each operator's meaning, on the real runtime. */
import { describe, expect, it } from 'vitest'
import { number } from '../runtime/testing/scene.ts'
import { nullable, utf8 } from '../serdes/serde.ts'
import { type TestDriver, testDriver } from '../testing.ts'
import { type TopologyBuilder, topologyBuilder } from './builder.ts'
import { defineTopic, type Topic } from './topic.ts'

const left = defineTopic({ name: 'left', key: nullable(utf8), value: nullable(utf8) })
const right = defineTopic({ name: 'right', key: nullable(utf8), value: nullable(utf8) })
const names = defineTopic({ name: 'names', key: utf8, value: nullable(utf8), cleanup: 'compact' })
const out = defineTopic({ name: 'out', key: nullable(utf8), value: nullable(utf8) })
/** The same topic for streams of narrower types. */
const outOf = <K, V>() => out as unknown as Topic<K, V>
const counts = defineTopic({ name: 'counts', key: nullable(utf8), value: number })
const dead = defineTopic({ name: 'dead', key: utf8, value: utf8 })

async function open(write: (builder: TopologyBuilder) => void, partitions = 2): Promise<TestDriver> {
  const builder = topologyBuilder('operators')
  write(builder)
  return testDriver({
    topology: builder.build(),
    partitions,
    deadLetter: { topic: dead, encode: ({ reason }) => ({ key: reason, value: reason }) },
  })
}

const texts = async (driver: TestDriver, topic: Topic<string | null, string | null> = out) =>
  (await driver.read(topic)).map(({ key, value }) => `${key}=${value}`).sort()
const counted = (driver: TestDriver, name: string) => driver.application('a').counters.snapshot().get(name)
const kv = (key: string | null, value: string | null) => ({ key, value })

describe('stateless operators', () => {
  it('filter, change values, keys and both, and spread one record over many', async () => {
    const driver = await open((builder) => {
      const stream = builder.stream(left)
      stream.filter(({ value }) => value === 'keep').to(outOf())
      stream.mapValues((value) => `${value}!`).to(outOf())
      stream.map(({ key, value }) => ({ key: value, value: key })).to(outOf())
      stream.selectKey(({ value }) => `by ${value}`).to(outOf())
      stream.flatMapValues((value) => (value === 'keep' ? [] : [`${value}1`, `${value}2`])).to(outOf())
      stream.flatMap(({ key }) => [{ key: `${key}${key}`, value: 'two' }]).to(outOf())
    })
    await driver.pipe(left, kv('k', 'keep'), kv('j', 'v'))
    expect(await texts(driver)).toEqual(
      [
        'k=keep',
        'k=keep!',
        'j=v!',
        'keep=k',
        'v=j',
        'by keep=keep',
        'by v=v',
        'j=v1',
        'j=v2',
        'kk=two',
        'jj=two',
      ].sort(),
    )
    await driver.close()
  })

  it('keep the timestamp, the headers and the order of a key', async () => {
    const driver = await open((builder) =>
      builder
        .stream(left)
        .mapValues((value) => value)
        .to(outOf()),
    )
    const headers = [{ key: 'h', value: Buffer.from('1') }]
    await driver.pipe(left, { ...kv('k', 'a'), timestamp: 5, headers }, { ...kv('k', 'b'), timestamp: 3 })
    const read = await driver.read(out)
    expect(read.map(({ value, timestamp }) => [value, timestamp])).toEqual([
      ['a', 5],
      ['b', 3],
    ])
    expect(read[0]?.headers).toEqual(headers)
    await driver.close()
  })

  it('send a record down the first branch that takes it, and count those that none takes', async () => {
    const driver = await open((builder) => {
      const branches = builder.stream(left).branch({
        long: ({ value }) => (value?.length ?? 0) > 2,
        any: ({ value }) => value !== 'no',
      })
      branches.long.mapValues((value) => `long ${value}`).to(outOf())
      branches.any.mapValues((value) => `any ${value}`).to(outOf())
    })
    await driver.pipe(left, kv('k', 'abc'), kv('k', 'ab'), kv('k', 'no'))
    expect(await texts(driver)).toEqual(['k=any ab', 'k=long abc'])
    expect(counted(driver, 'branch.unmatched{node="branch-1"}')).toBe(1)
    await driver.close()
  })

  it('merge streams of different partition counts', async () => {
    const wide = defineTopic({ name: 'wide', key: utf8, value: utf8, partitions: 3 })
    const narrow = defineTopic({ name: 'narrow', key: utf8, value: utf8, partitions: 1 })
    const merged = defineTopic({ name: 'merged', key: utf8, value: utf8 })
    const driver = await open((builder) => builder.stream(wide).merge(builder.stream(narrow)).to(merged))
    await driver.pipe(wide, { key: 'a', value: '1' }, { key: 'b', value: '2' }, { key: 'c', value: '3' })
    await driver.pipe(narrow, { key: 'd', value: '4' })
    expect((await driver.read(merged)).map(({ key }) => key).sort()).toEqual(['a', 'b', 'c', 'd'])
    await driver.close()
  })

  it('leave a record without key in the partition that it came from', async () => {
    const driver = await open((builder) => builder.stream(left).to(outOf()))
    await driver.pipe(left, kv(null, 'v'))
    expect((await driver.read(out)).map(({ partition }) => partition)).toEqual([0])
    await driver.close()
  })
})

describe('tables', () => {
  it('join what a key has now; without an entry, key or value nothing comes, and is counted', async () => {
    const driver = await open((builder) => {
      const table = builder.stream(right).toTable('table', utf8)
      builder
        .stream(left)
        .join('joined', table, (value, entry) => `${value}+${entry}`)
        .to(outOf())
    })
    await driver.pipe(left, kv('k', 'early'))
    await driver.pipe(right, kv('k', 'one'))
    await driver.pipe(left, kv('k', 'a'), kv('k', null), kv(null, 'nobody'))
    await driver.pipe(right, kv('k', 'two'))
    await driver.pipe(left, kv('k', 'b'))
    await driver.pipe(right, kv('k', null))
    await driver.pipe(left, kv('k', 'late'))
    expect(await texts(driver)).toEqual(['k=a+one', 'k=b+two'])
    expect(counted(driver, 'join.dropped{node="joined"}')).toBe(4)
    await driver.close()
  })

  it('left join with nothing where there is nothing', async () => {
    const driver = await open((builder) => {
      const table = builder.stream(right).toTable('table', utf8)
      builder
        .stream(left)
        .leftJoin('joined', table, (value, entry) => `${value}+${entry}`)
        .to(outOf())
    })
    await driver.pipe(left, kv('k', 'a'))
    await driver.pipe(right, kv('k', 'one'))
    await driver.pipe(left, kv('k', 'b'))
    expect(await texts(driver)).toEqual(['k=a+undefined', 'k=b+one'])
    await driver.close()
  })

  it('refuse a record without key', async () => {
    const driver = await open((builder) => {
      builder.stream(right).toTable('table', utf8)
      builder.stream(left).aggregate('count', { initial: () => 0, add: (count) => count + 1, value: number })
    })
    await driver.pipe(right, kv(null, 'v'))
    await driver.pipe(left, kv(null, 'v'))
    expect((await driver.read(dead)).map(({ key }) => key)).toEqual(['null_key', 'null_key'])
    await driver.close()
  })

  it('tell every change, deletions too', async () => {
    const driver = await open((builder) => builder.stream(right).toTable('table', utf8).changes().to(outOf()))
    await driver.pipe(right, kv('k', 'v'), kv('k', null))
    expect((await driver.read(out)).map(({ value }) => value)).toEqual(['v', null])
    await driver.close()
  })

  it('aggregate the values of a key, and say each change', async () => {
    const driver = await open((builder) =>
      builder
        .stream(left)
        .aggregate('sum', {
          initial: () => 0,
          add: (sum, { value }) => sum + Number(value),
          value: number,
        })
        .changes()
        .mapValues((value) => value ?? -1)
        .to(counts),
    )
    await driver.pipe(left, kv('k', '2'), kv('j', '5'), kv('k', '3'))
    const read = (await driver.read(counts)).map(({ key, value }) => `${key}=${value}`)
    expect(read.filter((text) => text.startsWith('k'))).toEqual(['k=2', 'k=5'])
    await driver.close()
  })

  it('over their source topic are restored from it, up to what was processed', async () => {
    const driver = await open((builder) => {
      const table = builder.table('names', names)
      builder
        .stream(left)
        .join('named', table, (value, name) => `${value} ${name}`)
        .to(outOf())
    }, 1)
    await driver.pipe(names, { key: 'k', value: 'one' }, { key: 'j', value: 'jay' })
    await driver.pipe(names, { key: 'k', value: 'two' }, { key: 'j', value: null })
    driver.application('a').kill()
    driver.disks.crash('a')
    driver.log.levers.groups.expire('operators', 'a')
    // These are not processed yet: the restored table must not know them.
    await driver.append(left, kv('k', 'before'))
    driver.clock.advance(1)
    await driver.append(names, { key: 'k', value: 'three' })
    driver.clock.advance(1)
    await driver.append(left, kv('k', 'after'), kv('j', 'gone'))
    await driver.start('b')
    await driver.settle()
    expect(await texts(driver)).toEqual(['k=after three', 'k=before two'])
    expect(await driver.log.admin.listTopics()).toEqual(['dead', 'left', 'names', 'out'])
    await driver.close()
  })
})
