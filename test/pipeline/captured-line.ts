/** A captured record as the test driver takes it. */

/** One line of a captured file. */
export interface CapturedLine {
  readonly topic: string
  readonly key: string | null
  readonly value: string | null
  readonly timestamp: number
  readonly headers?: Readonly<Record<string, string>>
}
