/**
 * DELIVER's stores over the bytes of a world. What was put or deleted while one record was handled can be undone, as the
 * engine does when the record is refused.
 */
import type { KeyValueStore, ProcessorHandlers } from '../../../engine/index.ts'
import type { DeliverShape, deliverWith } from '../deliver.ts'
import type { DeliverContext } from '../shape.ts'
import { type StoreName, storeNames, type World } from './world.ts'

export type DeliverDefinition = ReturnType<typeof deliverWith>

export function encodedStores(definition: DeliverDefinition, world: () => World) {
  let undo: (() => void)[] = []

  const set = (name: StoreName, key: string, bytes: Uint8Array | undefined): void => {
    const before = world().stores[name].get(key)
    undo.push(() => write(world().stores[name], key, before))
    write(world().stores[name], key, bytes)
  }

  const storeOf = <N extends StoreName>(name: N): KeyValueStore<DeliverShape['stores'][N]> => {
    const { value: serde } = definition.stores[name]
    return {
      get(key) {
        const bytes = world().stores[name].get(key)
        return bytes && serde.deserialize(bytes)
      },
      put(key, value) {
        const bytes = serde.serialize(value)
        if (bytes === null) throw new Error(`${name} cannot hold null`)
        set(name, key, bytes)
      },
      delete(key) {
        set(name, key, undefined)
      },
    }
  }

  const load = <N extends StoreName>(name: N, handlers: ProcessorHandlers<DeliverShape>): void => {
    const take = handlers.load?.[name]
    if (!take) return
    const { value: serde } = definition.stores[name]
    const stored = world().stores[name]
    for (const key of [...stored.keys()].sort()) {
      const bytes = stored.get(key)
      if (bytes) take(key, serde.deserialize(bytes))
    }
  }

  const stores: DeliverContext['stores'] = {
    bodies: storeOf('bodies'),
    states: storeOf('states'),
    endpoints: storeOf('endpoints'),
    remembered: storeOf('remembered'),
    expiries: storeOf('expiries'),
    queues: storeOf('queues'),
    redrives: storeOf('redrives'),
  }

  return {
    stores,
    /** Hands all that is stored to new handlers, in the order of keys, as a disk would give it. */
    loadAll(handlers: ProcessorHandlers<DeliverShape>) {
      for (const name of storeNames) load(name, handlers)
    },
    /** What is written from now on is what `undo` takes back. */
    mark() {
      undo = []
    },
    undo() {
      for (const step of undo.reverse()) step()
    },
  }
}

function write(store: Map<string, Uint8Array>, key: string, bytes: Uint8Array | undefined): void {
  if (bytes) store.set(key, bytes)
  else store.delete(key)
}
