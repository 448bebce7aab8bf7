/** A report for people: what is wrong, where, who breaks, since when, and the mend, without knowing anything before. */
import type { Remark } from '../../schemas/index.ts'
import type { Colors } from '../client/words.ts'
import { allRemarks, openRemarks, type Report } from './report.ts'

/** Lines of the report. Subjects without remarks are told in the summary alone. */
export function textReport(report: Report, colors: Colors, exit: number): readonly string[] {
  const lines: string[] = []
  for (const remark of report.general.filter(isOpen)) lines.push(...remarkLines(remark, report, colors), '')
  for (const { subject, about, remarks } of report.subjects) {
    const open = remarks.filter(isOpen)
    if (open.length === 0) continue
    const mark = open.some(({ severity }) => severity === 'error') ? colors.red('✗') : colors.yellow('⚠')
    lines.push(`${mark} ${colors.bold(subject)}  ${about}`.trimEnd())
    for (const remark of open) lines.push(...remarkLines(remark, report, colors), '')
  }
  return [...lines, summaryLine(report, exit)]
}

function summaryLine(report: Report, exit: number): string {
  const open = openRemarks(report)
  const errors = open.filter(({ severity }) => severity === 'error').length
  const allowed = allRemarks(report).length - open.length
  const counts = [
    `${errors} ${errors === 1 ? 'finding' : 'findings'}`,
    `${open.length - errors} ${open.length - errors === 1 ? 'warning' : 'warnings'}`,
    ...(allowed > 0 ? [`${allowed} allowed by lint.json`] : []),
  ].join(', ')
  return `${counts} · ${report.summary} · exit ${exit}`
}

function remarkLines(remark: Remark, report: Report, colors: Colors): readonly string[] {
  const { place, field, rule, severity, message, mend, who, direction, since, registry, other } = remark
  const paint = severity === 'error' ? colors.red : colors.yellow
  const facts = [
    who === undefined ? undefined : `Who breaks: ${who}${direction === undefined ? '' : ` (${direction})`}`,
    since === undefined
      ? undefined
      : `Since: v${since}${other === undefined ? '' : `, compared with ${other.file}:${other.line}:${other.column}`}`,
    `Mend: ${mend}`,
    registry === undefined
      ? undefined
      : `A registry says: ${registry.type} at ${registry.path} (${registry.message})`,
  ]
  return [
    `  ${colors.cyan(`${place.file}:${place.line}:${place.column}`)}${field ? `  ${field}` : ''}`,
    ...frame(report.textOf(place.file), place.line, place.column).map((line) => `    ${colors.dim(line)}`),
    `  ${paint(severity === 'error' ? 'error' : 'warning')}: ${message}  ${colors.dim(`[${rule}]`)}`,
    ...facts.flatMap((fact) => (fact === undefined ? [] : [`  ${fact}`])),
    `  ${colors.dim(`More: waybill schemas explain ${rule}`)}`,
  ]
}

/** The line in question with one before and two after (a place may be the brace in front), and a caret. */
export function frame(text: string | undefined, line: number, column: number): readonly string[] {
  if (text === undefined) return []
  const all = text.split(/\r\n?|\n/)
  const width = String(Math.min(all.length, line + 2)).length
  const first = Math.max(1, line - 1)
  return all.slice(first - 1, line + 2).flatMap((content, index) => {
    const number = first + index
    const shown = cut(content.replaceAll('\t', ' '), column)
    const gutter = `${number === line ? '>' : ' '} ${String(number).padStart(width)} | `
    if (number !== line) return [`${gutter}${cut(content.replaceAll('\t', ' '), 1).text}`.trimEnd()]
    return [
      `${gutter}${shown.text}`.trimEnd(),
      `${' '.repeat(gutter.length - 2)}| ${' '.repeat(shown.column - 1)}^`,
    ]
  })
}

/** Schemas from registries are one long line: shows the part around the column. */
function cut(line: string, column: number): { readonly text: string; readonly column: number } {
  const width = 100
  if (line.length <= width) return { text: line, column }
  const start = Math.max(0, column - 1 - 40)
  const before = start > 0 ? '…' : ''
  const text = `${before}${line.slice(start, start + width)}${start + width < line.length ? '…' : ''}`
  return { text, column: column - start + before.length }
}

const isOpen = ({ allowed }: Remark): boolean => allowed === undefined
