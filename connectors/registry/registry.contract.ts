/** What the adapter does with any registry: run against the fakes, and against real ones by test:stack. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { manualClock } from '../../engine/index.ts'
import { registryContract } from '../../ports/registry.contract.ts'
import { makeCodecs, readSchemaFolder, type SchemaFile, shippedSchemaFolder } from '../../schemas/index.ts'
import { openRegistry } from './open-registry.ts'
import { openRegistryAdmin, type RegistryAdmin } from './registry-admin.ts'
import { RegistryError } from './registry-error.ts'

export interface AdapterContractOptions {
  readonly name: string
  /** Called once; the registry is empty, or holds nothing under these subjects. */
  readonly start: () => Promise<{ readonly url: string; stop(): Promise<void> }>
}

/** A schema of a connector, which nobody ships. */
const foreignText = JSON.stringify({
  type: 'record',
  name: 'Envelope',
  namespace: 'oms.oms.orders',
  fields: [
    { name: 'op', type: 'string' },
    { name: 'ts_ns', type: ['null', 'long'], default: null },
  ],
})

export const reasonOf = (asked: Promise<unknown>): Promise<string> =>
  asked.then(
    () => 'no error',
    (error: unknown) => (error instanceof RegistryError ? error.kind : String(error)),
  )

/** Declares the suite for one registry. */
export function adapterContract({ name, start }: AdapterContractOptions): void {
  const own: readonly SchemaFile[] = readSchemaFolder(shippedSchemaFolder)
  const newest = Object.fromEntries(own.map(({ subject, version }) => [subject, version]))
  const levels = { 'order.events-value': 'FULL_TRANSITIVE', 'deliveries-value': 'BACKWARD' } as const
  let url = ''
  let admin: RegistryAdmin
  let stop: () => Promise<void>
  const open = () =>
    openRegistry({ address: { url }, own, levels, clock: manualClock(0), report: () => undefined })

  beforeAll(async () => {
    const started = await start()
    url = started.url
    stop = started.stop
    admin = openRegistryAdmin({ url })
  }, 120_000)
  afterAll(async () => {
    await admin.close()
    await stop()
  })

  describe(`a program and ${name}`, () => {
    it('does not start while its schemas are missing, and names each', async () => {
      const refused = open()
      expect(await reasonOf(refused)).toBe('missing')
      await expect(refused).rejects.toThrow(/order\.events-value v1.*waybill schemas apply/)
    })

    it('registers them, level first', async () => {
      for (const subject of Object.keys(newest)) await admin.setLevel(subject, 'BACKWARD')
      for (const { subject, text } of own) await admin.register(subject, text)
      expect(await admin.subjects()).toEqual(expect.arrayContaining(Object.keys(newest)))
      expect(await admin.versions('order.events-value')).toEqual([1, 2, 3])
      expect(await admin.versions('nobody-knows-value')).toEqual([])
    })

    it('registers nothing twice', async () => {
      for (const { subject, text } of own.slice(0, 3)) {
        expect(await admin.register(subject, text)).toBe(await admin.idOf(subject, text))
      }
      expect(await admin.versions('order.events-value')).toEqual([1, 2, 3])
    })

    it('does not start while a level is too weak', async () => {
      expect(await admin.level('order.events-value')).toBe('BACKWARD')
      const refused = open()
      expect(await reasonOf(refused)).toBe('weak_level')
      await expect(refused).rejects.toThrow('order.events-value (BACKWARD, needs FULL_TRANSITIVE)')
      await admin.setLevel('order.events-value', 'FULL_TRANSITIVE')
      expect(await admin.level('order.events-value')).toBe('FULL_TRANSITIVE')
    })

    it('keeps everything that was registered, though it may spell names another way', async () => {
      for (const { subject, text } of own) {
        const id = await admin.idOf(subject, text)
        expect(id).toBeTypeOf('number')
        const kept = await admin.schemaById(id ?? -1)
        expect(withShortNames(kept?.text ?? '')).toEqual(withShortNames(text))
      }
      expect(await admin.schema('order.events-value', 'latest')).toMatchObject({ version: 3 })
      expect(await admin.schema('order.events-value', 99)).toBeUndefined()
      expect(await admin.schema('nobody-knows-value', 1)).toBeUndefined()
    })

    it('refuses what a level forbids, and what is no schema', async () => {
      const text = own.find(({ subject }) => subject === 'order.events-value')?.text ?? ''
      const broken = JSON.parse(text) as { fields: unknown[] }
      broken.fields.push({ name: 'required_later', type: 'string' })
      const changed = JSON.stringify(broken)
      expect(await admin.check('order.events-value', changed)).toMatchObject({ compatible: false })
      expect(await reasonOf(admin.register('order.events-value', changed))).toBe('incompatible')
      expect(await reasonOf(admin.register('order.events-value', '{"type":"record"}'))).toBe('invalid')
      expect(await admin.check('nobody-knows-value', text)).toEqual({ compatible: true, messages: [] })
    })

    it('writes with the ids of the registry, and reads what others wrote', async () => {
      const id = await registerForeign(admin)
      const registry = await open()
      const codecs = makeCodecs(registry)
      const bytes = codecs.orderChange
      expect(registry.idOf(bytes.subject, newest[bytes.subject] ?? 0)).toBe(
        await admin.idOf(bytes.subject, registry.latest(bytes.subject).text),
      )

      const message = Buffer.alloc(7)
      message.writeInt32BE(id, 1)
      message.set(Buffer.from([2, 'c'.charCodeAt(0)]), 5)
      const whole = Buffer.concat([message, Buffer.from([0])])
      expect(() => codecs.decodeMessage(whole)).toThrow(`schema id ${id}`)
      await codecs.prepareMessage?.(whole)
      expect(codecs.decodeMessage(whole)).toEqual({ op: 'c', ts_ns: null })
      await registry.close()
    })
  })

  registryContract({ name, open, subjects: newest })
}

/** Apicurio leaves the namespace out where it is that of the record around. */
const withShortNames = (text: string): unknown => JSON.parse(text.replaceAll('"dev.waybill.', '"'))

async function registerForeign(admin: RegistryAdmin): Promise<number> {
  const subject = 'connector.orders-value'
  await admin.setLevel(subject, 'NONE')
  return admin.register(subject, foreignText)
}
