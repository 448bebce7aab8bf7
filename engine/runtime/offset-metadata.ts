/**
 * What rides in the metadata of a committed offset: a format number, the transactional id that owns the partition
 * (a new owner fences it), and the task's stream time. Short: Kafka allows 4096 bytes.
 */
export interface OffsetMetadata {
  readonly owner: string
  readonly streamTime: number
}

const formatVersion = '1'

export const writeOffsetMetadata = ({ owner, streamTime }: OffsetMetadata): string =>
  `${formatVersion};${streamTime};${owner}`

/** `undefined` for metadata of another program or an unknown format. */
export function readOffsetMetadata(text: string): OffsetMetadata | undefined {
  const [version, streamTime, ...owner] = text.split(';')
  if (version !== formatVersion || streamTime === undefined || owner.length === 0) return undefined
  const time = Number(streamTime)
  return Number.isNaN(time) ? undefined : { owner: owner.join(';'), streamTime: time }
}
