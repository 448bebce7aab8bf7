/** A report for programs: JSON, annotations of GitHub, JUnit and SARIF. */
import type { Remark } from '../../schemas/index.ts'
import { allRemarks, openRemarks, type Report } from './report.ts'

/** One object: every remark, the allowed ones with their reason. */
export function jsonReport(report: Report, exit: number): string {
  const subjects = report.subjects.map(({ subject, about, remarks }) => ({ subject, about, remarks }))
  return JSON.stringify({ command: report.command, exit, general: report.general, subjects })
}

/** Workflow commands: shown beside the line in the pull request. */
export function githubReport(report: Report): readonly string[] {
  return openRemarks(report).map((remark) => {
    const { place, rule, severity, message } = remark
    const about = [
      `file=${property(place.file)}`,
      `line=${place.line}`,
      `col=${place.column}`,
      `title=${property(rule)}`,
    ].join(',')
    return `::${severity} ${about}::${data(`${message}\n${details(remark)}`)}`
  })
}

/** One suite per subject, one failed case per finding; a subject without any is one case that passed. */
export function junitReport(report: Report): string {
  const suites = [
    ...(report.general.length > 0 ? [{ subject: 'folder', remarks: report.general }] : []),
    ...report.subjects,
  ].map(({ subject, remarks }) => {
    const open = remarks.filter(({ allowed }) => allowed === undefined)
    const failures = open.filter(({ severity }) => severity === 'error' || report.strict)
    const cases = open.map((remark) => {
      const { place, rule, message } = remark
      const name = xml(`${rule} ${place.file}:${place.line}:${place.column}`)
      const inside = failures.includes(remark)
        ? `<failure message="${xml(message)}">${xml(details(remark))}</failure>`
        : `<system-out>${xml(`${message}\n${details(remark)}`)}</system-out>`
      return `    <testcase classname="${xml(subject)}" name="${name}">${inside}</testcase>`
    })
    const passed = `    <testcase classname="${xml(subject)}" name="${report.command}"/>`
    const body = cases.length > 0 ? cases : [passed]
    const head = `  <testsuite name="${xml(subject)}" tests="${body.length}" failures="${failures.length}">`
    return [head, ...body, '  </testsuite>'].join('\n')
  })
  return ['<?xml version="1.0" encoding="UTF-8"?>', '<testsuites>', ...suites, '</testsuites>'].join('\n')
}

/** SARIF 2.1.0, as code scanning takes it; what was allowed is told as suppressed. */
export function sarifReport(report: Report, version: string): string {
  const remarks = allRemarks(report)
  const ids = [...new Set(remarks.map(({ rule }) => rule))].sort()
  const rules = ids.map((id) => {
    const rule = report.ruleOf(id)
    return {
      id,
      shortDescription: { text: rule?.title ?? id },
      fullDescription: { text: rule?.why ?? '' },
      help: { text: rule?.mend ?? '' },
      defaultConfiguration: { level: rule?.severity ?? 'error' },
    }
  })
  const results = remarks.map((remark) => ({
    ruleId: remark.rule,
    ruleIndex: ids.indexOf(remark.rule),
    level: remark.severity,
    message: { text: `${remark.message}\n${details(remark)}` },
    locations: [location(remark.place)],
    ...(remark.other && { relatedLocations: [{ id: 1, ...location(remark.other) }] }),
    ...(remark.allowed && { suppressions: [{ kind: 'external', justification: remark.allowed.reason }] }),
  }))
  const driver = { name: 'waybill schemas', version, rules }
  return JSON.stringify({
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [{ tool: { driver }, columnKind: 'utf16CodeUnits', results }],
  })
}

const location = ({ file, line, column }: Remark['place']) => ({
  physicalLocation: {
    artifactLocation: { uri: encodeURI(file) },
    region: { startLine: line, startColumn: column },
  },
})

const details = ({ who, since, mend, rule }: Remark): string =>
  [
    ...(who === undefined ? [] : [`Who breaks: ${who}`]),
    ...(since === undefined ? [] : [`Since: v${since}`]),
    `Mend: ${mend}`,
    `More: waybill schemas explain ${rule}`,
  ].join('\n')

/** Escapes of GitHub's workflow commands. */
const data = (text: string): string =>
  text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
const property = (text: string): string => data(text).replaceAll(':', '%3A').replaceAll(',', '%2C')

const xml = (text: string): string =>
  text
    // biome-ignore lint/suspicious/noControlCharactersInRegex: XML 1.0 has no way to write them
    .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, ' ')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
