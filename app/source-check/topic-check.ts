/** What the rows of one captured topic hold, against the blocks of the mapping that take them. */

import type { CapturedRow, Envelope } from '../../processors/normalize/envelope.ts'
import type { SourceBlock, TimeColumn } from '../../processors/normalize/source-blocks.ts'
import { nearest } from '../cli/nearest.ts'
import type { FindingList, LinePlace } from './finding-list.ts'
import type { ColumnReport, TopicReport } from './source-report.ts'
import { formText, type TimeCheck, timeCheck } from './time-check.ts'

export interface TopicCheck {
  /** Counts a record of the topic, whatever it is. */
  count(connector?: string): void
  takeRow(block: SourceBlock, envelope: Envelope, place: LinePlace): void
  /** The report; adds what only all rows together show. */
  conclude(findings: FindingList): TopicReport
}

/** Makes the check of a topic. */
export function topicCheck(topic: string, role: TopicReport['role'], findings: FindingList): TopicCheck {
  let records = 0
  const connectors: Record<string, number> = {}
  const blocks = new Map<SourceBlock, BlockCheck>()
  const unmapped = new Set<string>()
  return {
    count(connector) {
      records += 1
      if (connector !== undefined) connectors[connector] = (connectors[connector] ?? 0) + 1
    },
    takeRow(block, envelope, place) {
      const row = envelope.after
      if (!row) return
      let check = blocks.get(block)
      if (!check) {
        check = blockCheck(block)
        blocks.set(block, check)
      }
      check.take(row, envelope)
      for (const column of Object.keys(row)) if (!check.isMapped(column)) unmapped.add(column)
      for (const { field, column } of check.absentIn(row)) {
        const near = nearest(
          column,
          Object.keys(row).filter((name) => !check.isMapped(name)),
        )
        const mend =
          near === undefined
            ? `let the connector write it, correct its name, or leave ${field} out of source.yaml`
            : `did you mean ${near}?`
        findings.add(
          'missing_column',
          `${topic}: column ${column} is mapped to ${field}, but is not in the row`,
          mend,
          place,
        )
      }
      if (envelope.kind === 'update' && block.beforeImage === 'full' && envelope.before === null) {
        const mend =
          'write whole old rows (REPLICA IDENTITY FULL, binlog_row_image=FULL), or say before_image: key'
        findings.add(
          'no_before',
          `${topic}: an update has no row before, but before_image is full`,
          mend,
          place,
        )
      }
    },
    conclude(list) {
      for (const check of blocks.values()) check.conclude(topic, list)
      return {
        topic,
        role,
        records,
        connectors,
        blocks: [...blocks.keys()].map((block) => block.name),
        columns: [...blocks.values()].flatMap((check) => check.columns()),
        unmapped_columns: [...unmapped].sort(),
      }
    },
  }
}

interface MappedColumn {
  readonly field: string
  readonly column: string
  readonly time?: TimeColumn
}

interface BlockCheck {
  take(row: CapturedRow, envelope: Envelope): void
  isMapped(column: string): boolean
  absentIn(row: CapturedRow): readonly MappedColumn[]
  columns(): readonly ColumnReport[]
  conclude(topic: string, findings: FindingList): void
}

function blockCheck(block: SourceBlock): BlockCheck {
  const mapped = mappedColumns(block)
  const names = new Set(mapped.map(({ column }) => column))
  const counts = mapped.map(() => ({ present: 0, absent: 0, nulls: 0 }))
  const times = mapped.map(({ field, time }) => time && timeCheck(field, time, field in changeTimes))
  return {
    isMapped: (column) => names.has(column),
    absentIn: (row) => mapped.filter(({ column }) => row[column] === undefined),
    take(row, envelope) {
      for (const [index, { column, field }] of mapped.entries()) {
        const count = counts[index]
        if (!count) continue
        const value = row[column]
        if (value === undefined) count.absent += 1
        else count.present += 1
        if (value === null) count.nulls += 1
        times[index]?.take(row, changeTimes[field]?.(envelope, column) ? commitAt(envelope) : undefined)
      }
    },
    columns: () =>
      mapped.map(({ field, column, time }, index) => ({
        field,
        column,
        ...(counts[index] ?? { present: 0, absent: 0, nulls: 0 }),
        ...(time && { form: formText(time), unreadable: times[index]?.unreadable ?? 0 }),
      })),
    conclude(topic, findings) {
      for (const check of times.filter((time): time is TimeCheck => time !== undefined))
        check.conclude(topic, findings)
    },
  }
}

function mappedColumns(block: SourceBlock): MappedColumn[] {
  const plain = Object.entries<string | null>({ ...block.columns }).flatMap(([field, column]) =>
    column === null ? [] : [{ field, column }],
  )
  const times = Object.entries<TimeColumn | null>({ ...block.times }).flatMap(([field, time]) =>
    time === null ? [] : [{ field, column: time.column, time }],
  )
  return [...plain, ...times]
}

/** In which changes a time says when the change was. Other times are promises, or may have been set long before. */
const changeTimes: Readonly<Record<string, (envelope: Envelope, column: string) => boolean>> = {
  updated_at: ({ kind }) => kind === 'create' || kind === 'update',
  created_at: ({ kind }) => kind === 'create',
  delivered_at: ({ kind, before }, column) => kind === 'update' && before !== null && before[column] === null,
}

function commitAt({ source }: Envelope): number | undefined {
  return typeof source.ts_ms === 'number' ? source.ts_ms : undefined
}
