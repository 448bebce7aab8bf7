/** Writes Avro values byte by byte, without a schema library: the generator must not depend on what is measured. */

export interface AvroBytes {
  /** Starts a value: magic byte and schema id. */
  begin(schemaId: number): void
  long(value: number): void
  /** ASCII only. */
  text(value: string): void
  double(value: number): void
  bool(value: boolean): void
  /** A union of null and something else. */
  optional<T>(value: T | null, write: (value: T) => void): void
  /** A copy of what was written. */
  end(): Buffer
}

export function avroBytes(): AvroBytes {
  const buffer = Buffer.allocUnsafe(8192)
  let at = 0
  const bytes: AvroBytes = {
    begin(schemaId) {
      buffer[0] = 0
      at = buffer.writeUInt32BE(schemaId, 1)
    },
    long(value) {
      let zigzag = value >= 0 ? value * 2 : -value * 2 - 1
      while (zigzag >= 128) {
        buffer[at++] = (zigzag % 128) | 128
        zigzag = Math.floor(zigzag / 128)
      }
      buffer[at++] = zigzag
    },
    text(value) {
      bytes.long(value.length)
      at += buffer.write(value, at, 'latin1')
    },
    double(value) {
      at = buffer.writeDoubleLE(value, at)
    },
    bool(value) {
      buffer[at++] = value ? 1 : 0
    },
    optional(value, write) {
      bytes.long(value === null ? 0 : 1)
      if (value !== null) write(value)
    },
    end: () => Buffer.from(buffer.subarray(0, at)),
  }
  return bytes
}
