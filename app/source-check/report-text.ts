/** The report of a source check for people: what would happen first, then the columns, then what is wrong. */
import { oneLine } from '../cli/cli-error.ts'
import { formatCount, left, right } from '../view/cells.ts'
import type { Finding, SourceReport, TopicReport } from './source-report.ts'

/** The report as lines. */
export function reportText(report: SourceReport): string {
  return [
    heading('records', report.records),
    ...details('ignored', report.ignored),
    ...optional('not a record', report.bad_lines),
    ...details('undecodable', report.undecodable),
    heading('would be sent', report.events_total),
    ...details('', report.events),
    ...details('not sent', report.not_sent),
    ...details('riders', report.assignments),
    ...statusLines(report),
    ...report.topics.flatMap(topicLines),
    '',
    ...findingLines(report.findings),
  ]
    .map(oneLine)
    .join('\n')
}

const nameWidth = 15
const countWidth = 10

const heading = (name: string, count: number): string =>
  `${left(name, nameWidth)}${right(formatCount(count), countWidth)}`

const optional = (name: string, count: number): string[] => (count > 0 ? [heading(name, count)] : [])

function details(name: string, counts: Readonly<Record<string, number>>): string[] {
  return Object.entries(counts)
    .filter(([, count]) => count > 0)
    .sort(([, one], [, other]) => other - one)
    .map(
      ([what, count], index) => `${heading(index === 0 ? name : '', count)}   ${what.replaceAll('_', ' ')}`,
    )
}

function statusLines({ statuses }: SourceReport): string[] {
  return statuses.map(({ status, count, event }, index) => {
    const meaning = event === undefined ? 'NOT MAPPED' : (event ?? 'no event')
    return `${heading(index === 0 ? 'statuses' : '', count)}   ${status} → ${meaning}`
  })
}

function topicLines(topic: TopicReport): string[] {
  const connectors = Object.keys(topic.connectors).join(', ')
  const about = topic.role === 'ignored' ? 'ignored: no block names it' : topic.role
  const lines = ['', `${topic.topic}   ${about}${connectors === '' ? '' : `, from ${connectors}`}`]
  for (const block of topic.blocks) lines.push(`  block            ${block}`)
  for (const { field, column, absent, form, unreadable, present, nulls } of topic.columns) {
    const notes = [
      ...(form === undefined ? [] : [form]),
      ...(absent > 0 ? [`ABSENT in ${formatCount(absent)}`] : []),
      ...(present > 0 && nulls === present ? ['always null'] : []),
      ...(unreadable ? [`${formatCount(unreadable)} UNREADABLE`] : []),
    ]
    lines.push(`  ${left(field, 21)}${left(column, 23)} ${notes.join('; ')}`.trimEnd())
  }
  if (topic.unmapped_columns.length > 0)
    lines.push(`  not mapped           ${topic.unmapped_columns.join(', ')}`)
  return lines
}

function findingLines(findings: readonly Finding[]): string[] {
  if (findings.length === 0) return ['nothing to mend']
  return [
    `${formatCount(findings.length)} to look at:`,
    ...findings.flatMap(({ what, mend, count, lines }) => [
      `- ${what}${count > 1 ? ` (${formatCount(count)} times)` : ''}`,
      ...(lines.length > 0 ? [`    at ${lines.join(', ')}${count > lines.length ? ', …' : ''}`] : []),
      `    ${mend}`,
    ]),
  ]
}
