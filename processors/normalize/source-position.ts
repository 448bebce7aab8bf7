/**
 * Where a change stands in its source's log. Positions are only ever compared within one source and lineage; what
 * is not comparable says so by having another lineage, or none.
 */
import type { SourcePosition } from '../../schemas/index.ts'
import type { Envelope } from './envelope.ts'

/** The position of a change. `key` is the row's key, which is part of the identity: a primary key change writes two records at one position. */
export function sourcePosition(envelope: Envelope, key: string, recordTimestamp: number): SourcePosition {
  const { source, op } = envelope
  const connector = String(source.connector ?? 'unknown')
  const place = placeOf(envelope, connector)
  // Snapshot rows share one position, or carry none that orders them among the streamed changes.
  const usable = envelope.kind !== 'snapshot'
  return {
    source: `${connector}:${String(source.name ?? 'unknown')}`,
    lineage: usable ? place.lineage : null,
    sequence: usable ? place.sequence : null,
    offset_in_log: usable ? place.offsetInLog : null,
    row: usable ? place.row : null,
    identity: [...place.identity, op, key].join('|'),
    transaction_id: usable ? place.transactionId : null,
    commit_at: integer(source.ts_ms) ?? recordTimestamp,
  }
}

interface Place {
  readonly lineage: string | null
  readonly sequence: number | null
  readonly offsetInLog: number | null
  readonly row: number | null
  readonly identity: readonly string[]
  readonly transactionId: string | null
}

function placeOf(envelope: Envelope, connector: string): Place {
  const { source } = envelope
  if (connector === 'postgresql') return postgresPlace(source)
  const gtid = typeof source.gtid === 'string' && source.gtid !== '' ? source.gtid : null
  const pos = integer(source.pos)
  const row = integer(source.row)
  const known = gtid === null ? null : gtidPlace(gtid)
  if (gtid !== null && known) {
    const identity = [gtid, text(pos), text(row)]
    return { ...known, offsetInLog: pos, row, identity, transactionId: gtid }
  }
  const serverId = text(integer(source.server_id))
  const file = typeof source.file === 'string' ? source.file : ''
  const number = /^(.*?)\.?(\d+)$/.exec(file)
  return {
    // Another file name prefix or server is another log.
    lineage: number ? `server:${serverId}:${number[1] ?? ''}` : null,
    sequence: number ? Number(number[2]) : null,
    offsetInLog: pos,
    row,
    identity: [serverId, file, text(pos), text(row)],
    transactionId: envelope.transactionId,
  }
}

/** MariaDB writes `domain-server-sequence`, MySQL `uuid:sequence`. Sequences order changes within domain or uuid. */
function gtidPlace(gtid: string): { lineage: string; sequence: number } | null {
  const mariadb = /^(\d+)-\d+-(\d+)$/.exec(gtid)
  if (mariadb) return { lineage: `gtid:${mariadb[1]}`, sequence: Number(mariadb[2]) }
  const mysql = /^([0-9a-fA-F-]{36})(?::[\w]+)?:(\d+)$/.exec(gtid)
  return mysql ? { lineage: `gtid:${mysql[1]}`, sequence: Number(mysql[2]) } : null
}

function postgresPlace(source: Envelope['source']): Place {
  const lsn = integer(source.lsn)
  const transactionId = integer(source.txId)
  return {
    lineage: lsn === null ? null : 'lsn',
    sequence: lsn,
    offsetInLog: null,
    row: null,
    identity: [text(lsn), text(transactionId)],
    // Debezium's transaction.id is `txId:lsn` here, so it differs from record to record of one transaction.
    transactionId: transactionId === null ? null : String(transactionId),
  }
}

/** What our codecs accept of a long; a log position beyond it is petabytes away and counts as not comparable. */
const longMax = 2 ** 52

function integer(value: unknown): number | null {
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value
  return typeof number === 'number' && Number.isInteger(number) && Math.abs(number) <= longMax ? number : null
}

const text = (value: number | null): string => (value === null ? '' : String(value))
