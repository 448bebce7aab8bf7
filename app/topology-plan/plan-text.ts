/** A plan in words: one step a line, with its mend below it. */
import { formatDuration } from '../config/duration.ts'
import type { Difference, Step } from './plan.ts'

export function planText(steps: readonly Step[]): string {
  if (steps.length === 0) return 'nothing to do: the log is as this version wants it\n'
  return steps.map(stepText).join('')
}

function stepText(step: Step): string {
  switch (step.kind) {
    case 'create': {
      const { topic, partitions } = step
      const what = topic.changelogOf ? `changelog of ${topic.changelogOf.part.name}` : 'topic'
      return `+ create   ${topic.name}  (${what}, ${partitions} partitions, ${keptAs(topic.config)})\n`
    }
    case 'configure':
      return `~ change   ${step.topic.name}  (${step.differences.map(differenceText).join(', ')})\n`
    case 'lose_state':
      return lines(
        `! rebuild  ${step.name}`,
        `the store is new, but ${step.part} has read its inputs already: what it should remember of them is lost`,
        step.renamedFrom.length === 0
          ? `accept that with --accept ${step.name}, or reset the group to read everything again`
          : `was it called ${step.renamedFrom.join(' or ')}? Give it that name again; else --accept ${step.name}`,
      )
    case 'lose_input':
      return lines(
        `! reset    ${step.name}`,
        `${step.group} reads it no longer, and ${step.unread} offsets of it are unread: nobody would read them`,
        step.renamedTo.length === 0
          ? `let the old version read it to its end first; else --accept ${step.name}`
          : `was it renamed to ${step.renamedTo.join(' or ')}? Give it its name back; else --accept ${step.name}`,
      )
    case 'reset':
      return lines(
        `! reset    ${step.name}`,
        `${step.group} would not find its place: ${step.reading.outOfRange.map(placeText).join('; ')}`,
        'what lies between is gone: find out who deleted it, and set the offsets of the group on purpose',
      )
    case 'left_over':
      return `- unused   ${step.name}  (${step.what}; nothing of this version uses it, delete it when nothing else does)\n`
    case 'refuse':
      return lines(`x refused  ${step.name}`, step.what, step.mend)
  }
}

const lines = (head: string, what: string, mend: string): string =>
  `${head}\n             ${what}\n             → ${mend}\n`

const placeText = (place: { partition: number; committed: number; start: number; end: number }): string =>
  `partition ${place.partition} is committed at ${place.committed}, the log has ${place.start} to ${place.end}`

function keptAs({ cleanup, retentionMs }: { cleanup: string; retentionMs: number }): string {
  if (cleanup === 'compact') return 'compacted'
  const age = retentionMs < 0 ? 'for ever' : formatDuration(retentionMs)
  return cleanup === 'purge' ? `purged behind its readers, kept ${age}` : `kept ${age}`
}

function differenceText({ setting, is, becomes }: Difference): string {
  const value = (text: string) =>
    setting === 'retentionMs' && text !== '-1' ? formatDuration(Number(text)) : text
  const names = {
    cleanup: 'cleanup',
    retentionMs: 'kept',
    timestampType: 'timestamps',
    maxRecordBytes: 'largest record',
  }
  return `${names[setting]} ${value(is)} → ${value(becomes)}`
}
