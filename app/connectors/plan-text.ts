/** A plan of connectors as people read it. */
import type { Colors } from '../client/words.ts'
import { left } from '../view/cells.ts'
import type { ConnectorPlan, PlannedConnector } from './plan.ts'

/** The lines of one connector: what would be done, each setting that changes, what is wrong. */
export function planLines(colors: Colors, planned: PlannedConnector, nameWidth: number): string[] {
  const { name, action, changes, findings } = planned
  const words = {
    create: colors.green('create'),
    change: colors.yellow('change'),
    none: colors.dim('up to date'),
  }
  const width = Math.max(0, ...changes.map(({ setting }) => setting.length))
  const settings = changes.map(({ setting, from, to }) => {
    if (action === 'create') return `  ${colors.green('+')} ${left(setting, width)}  ${to ?? ''}`
    if (to === null) return `  ${colors.red('-')} ${left(setting, width)}  ${from ?? ''}`
    if (from === null) return `  ${colors.green('+')} ${left(setting, width)}  ${to}`
    const both = from === to ? `${to} (another secret)` : `${from} → ${to}`
    return `  ${colors.yellow('~')} ${left(setting, width)}  ${both}`
  })
  const wrong = findings.map(({ severity, setting, what, mend }) => {
    const word = severity === 'refused' ? colors.red('refused') : colors.dim('advice')
    return `  ${word} ${setting}: ${what} — ${mend}`
  })
  return [`${left(name, nameWidth)}  ${words[action]}`, ...settings, ...wrong]
}

/** `1 to create, 2 to change, 0 up to date`. */
export function planSummary({ connectors }: ConnectorPlan): string {
  const count = (wanted: PlannedConnector['action']) =>
    connectors.filter(({ action }) => action === wanted).length
  return `${count('create')} to create, ${count('change')} to change, ${count('none')} up to date`
}
