/** The report of a check for a terminal: a line per question, below it what came, and what to change. */
import type pico from 'picocolors'
import { oneLine } from '../cli/cli-error.ts'
import type { Finding, PreflightReport } from './finding.ts'

type Paint = ReturnType<typeof pico.createColors>

const marks = { ok: 'ok', warn: 'warn', fail: 'FAIL', skipped: '-' } as const

/** The text, ending in a newline. */
export function preflightText(report: PreflightReport, paint: Paint): string {
  const lines = report.checks.flatMap((finding) => findingLines(finding, paint))
  return `${paint.bold(oneLine(report.url))}\n\n${lines.join('\n')}\n\n${summary(report, paint)}\n`
}

function findingLines({ check, status, tried, came, mend }: Finding, paint: Paint): string[] {
  const mark = colored(marks[status].padEnd(6), status, paint)
  const name = check.replaceAll('_', ' ').padEnd(17)
  return [
    `${mark}${name}${oneLine(came)}`,
    ...(status === 'ok' || status === 'skipped' ? [] : [paint.dim(`${' '.repeat(23)}tried: ${tried}`)]),
    ...(mend === null ? [] : mendLines(mend)),
  ]
}

/** Fits a terminal of a hundred columns. */
const mendColumns = 74

function mendLines(mend: string): string[] {
  const lines: string[] = []
  let line = '→'
  for (const word of mend.split(' ')) {
    if (line.length + 1 + word.length > mendColumns) {
      lines.push(line)
      line = ' '
    }
    line += ` ${word}`
  }
  return [...lines, line].map((text) => `${' '.repeat(23)}${text}`)
}

function colored(text: string, status: Finding['status'], paint: Paint): string {
  switch (status) {
    case 'ok':
      return paint.green(text)
    case 'warn':
      return paint.yellow(text)
    case 'fail':
      return paint.red(text)
    case 'skipped':
      return paint.dim(text)
  }
}

function summary({ checks, result }: PreflightReport, paint: Paint): string {
  const count = (status: Finding['status']) => checks.filter((finding) => finding.status === status).length
  const [fails, warns, skips] = [count('fail'), count('warn'), count('skipped')]
  if (result === 'ok') return paint.green('Ready for deliveries.')
  if (result === 'unreachable') return paint.red('It cannot be reached.')
  const parts = [
    ...(fails > 0 ? [`${fails} to mend`] : []),
    ...(warns > 0 ? [`${warns} to look at`] : []),
    ...(skips > 0 ? [`${skips} not tried`] : []),
  ]
  return paint.yellow(`${parts.join(', ')}.`)
}
