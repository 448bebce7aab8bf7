/** What a schema registry is to us: ids that stand in front of every value, and the schemas behind them. */

/** One version of one subject, as the registry keeps it. */
export interface RegisteredSchema {
  readonly id: number
  readonly subject: string
  readonly version: number
  /** The raw schema JSON, with every attribute. */
  readonly text: string
}

/**
 * A registry that has been opened. Reading is synchronous, because processing is: what is not known yet is fetched
 * beforehand by whoever may wait.
 */
export interface Registry {
  /** The id of one version of a subject. Throws when there is none: the deployment is broken. */
  idOf(subject: string, version: number): number
  /** The newest version that this program ships. Throws when the subject is unknown. */
  latest(subject: string): RegisteredSchema
  /** What stands behind an id, or `undefined` where it is not known (yet). */
  schemaOf(id: number): RegisteredSchema | undefined
  /**
   * Asks for an unknown id; `undefined` when nobody knows it. Rejects when the registry cannot be asked now: what
   * waits for the id is asked again later, nothing is guessed. It is called for every record that needs the id, so
   * it shares running questions and remembers for a while what nobody knew. Absent where all ids are known from the
   * start.
   */
  fetch?(id: number): Promise<RegisteredSchema | undefined>
  /**
   * Why an id of the program's own subjects cannot be known here although it is sound: a later release gave it. What
   * holds it waits until this instance is upgraded, and is neither guessed at nor put aside. `undefined` for ids that
   * are known, or nobody's. Absent where others can be asked.
   */
  givenLater?(id: number): string | undefined
}
