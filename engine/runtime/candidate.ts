/** What the plan of tasks knows of a member, and what it is asked for. */
import type { TaskPlace } from './task-places.ts'

export interface AssignorOptions {
  /** How many members besides its owner keep a copy of each task with state. */
  readonly standbys: number
  /** A copy that is at most so many changelog offsets behind counts as warm. */
  readonly acceptableLag: number
}

/** A member as the plan sees it. */
export interface Candidate {
  readonly id: string
  readonly owned: ReadonlySet<string>
  runs(task: TaskPlace): boolean
  /** How far its copy is behind, `undefined` without one. */
  lag(task: TaskPlace): number | undefined
}
