import { describe, expect, it } from 'vitest'
import { attemptDefaults, commandDefaults, historyDefaults } from './delivery-defaults.ts'
import { openFolderRegistry } from './folder-registry.ts'

interface Field {
  readonly name: string
  readonly default?: unknown
  readonly type: readonly { readonly fields: readonly Field[] }[]
}

const fieldsOf = (subject: string): readonly Field[] =>
  JSON.parse(openFolderRegistry().latest(subject).text).fields

const declared = (fields: readonly Field[] | undefined): object =>
  Object.fromEntries((fields ?? []).filter((one) => 'default' in one).map((one) => [one.name, one.default]))

describe('the defaults of records about deliveries', () => {
  it('are those of their schemas, all of them', () => {
    const history = fieldsOf('delivery.history-value')
    expect(historyDefaults).toEqual(declared(history))
    const attempt = history.find(({ name }) => name === 'attempt')?.type[1]?.fields
    expect(attemptDefaults).toEqual(declared(attempt))
    const command = fieldsOf('delivery.commands-value').filter(({ name }) => name !== 'requested_by')
    expect(commandDefaults).toEqual(declared(command))
  })
})
