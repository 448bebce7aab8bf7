/**
 * What rides in the metadata of a committed offset: a format number, the transactional id that owns the partition
 * (a new owner fences it), and the task's stream time. Short: Kafka allows 4096 bytes.
 */
export interface OffsetMetadata {
  readonly owner: string
  readonly streamTime: number
}

const formatVersion = 1

export const writeOffsetMetadata = ({ owner, streamTime }: OffsetMetadata): string =>
  `${formatVersion};${streamTime};${owner}`

/** `undefined` for metadata of another program. Throws for a newer format: whom to fence would be a guess. */
export function readOffsetMetadata(text: string): OffsetMetadata | undefined {
  const [version, streamTime, ...owner] = text.split(';')
  if (streamTime === undefined || owner.length === 0 || !/^\d+$/.test(version ?? '')) return undefined
  if (Number(version) > formatVersion) {
    throw new Error(
      `offsets of this group were committed in format ${version}, this program knows up to ${formatVersion}: ` +
        'a newer version has run it; start that one',
    )
  }
  const time = Number(streamTime)
  return Number.isNaN(time) ? undefined : { owner: owner.join(';'), streamTime: time }
}
