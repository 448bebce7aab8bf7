/** A processor that asks for calls as its records say, what is told of their results, and how calls are counted. */
import type { EffectResult } from '../../graph/processor.ts'
import type { TestDriver } from '../../testing.ts'
import type { SceneContext, SceneHandlers } from './scene.ts'

export const intentOf = (
  context: SceneContext,
  id: string,
  more: { key?: string; pool?: string; priority?: number } = {},
) => ({
  id,
  key: 'one',
  pool: 'pool',
  priority: 0,
  notAfter: context.now() + 60_000,
  request: id,
  ...more,
})

export const said = (result: EffectResult<string>) =>
  result.kind === 'done' ? `${result.result}${result.again ? ' again' : ''}` : result.kind

/**
 * Asks for a call for each record, under the record's key. `withdraw` as the value takes it back; a value like
 * `slow@7` names key and priority. The result is kept and emitted.
 */
export const asking = (context: SceneContext): Partial<SceneHandlers> => ({
  inputs: {
    in({ key, value }) {
      if (value === 'withdraw') {
        context.emit.out(key, context.effects.call.withdraw(key))
        return
      }
      const [turnKey = 'one', priority = '0'] = value.split('@')
      context.effects.call.start(intentOf(context, key, { key: turnKey, priority: Number(priority) }))
    },
  },
  results: {
    call(intent, result) {
      context.stores.kept.put(intent.id, said(result))
      context.emit.out(intent.id, said(result))
    },
  },
})

export const count = (driver: TestDriver, name: string, instance = 'a') =>
  driver.application(instance).counters.snapshot().get(name)

export const counted = (driver: TestDriver, event: string) =>
  count(driver, `effect.${event}{effect="p.call"}`)
