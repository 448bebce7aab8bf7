/**
 * Who keeps a warm copy of which task. Pure. Copies stay where they are, are spread evenly over those who may run the
 * task, and never lie beside their original.
 */
import type { AssignorOptions, Candidate } from './candidate.ts'
import { bySubTopology, type TaskPlace, taskIdOf } from './task-places.ts'

export interface PlacementOptions extends AssignorOptions {
  readonly tasks: readonly TaskPlace[]
  readonly members: readonly Candidate[]
  /** Task id → who runs it. */
  readonly owners: ReadonlyMap<string, Candidate>
  /** Task id → who is to run it once it is warm: keeps a copy besides the standbys. */
  readonly warmUps: ReadonlyMap<string, Candidate>
}

/** Task id → who keeps a copy. */
export function placeCopies(options: PlacementOptions): Map<string, readonly Candidate[]> {
  const copies = new Map<string, Candidate[]>()
  const count = new Map<Candidate, number>()
  for (const group of bySubTopology(options.tasks)) {
    const able = options.members.filter((member) => group[0] && member.runs(group[0]))
    const most = Math.ceil((group.length * options.standbys) / Math.max(1, able.length))
    const here = new Map<Candidate, number>()
    for (const task of group) {
      const id = taskIdOf(task)
      const owner = options.owners.get(id)
      if (!owner || !task.stateful) continue
      const warming = options.warmUps.get(id)
      const free = able.filter((member) => member !== owner && member !== warming)
      const chosen = free
        .map((member) => ({ member, rank: rankOf(member, task, options, (here.get(member) ?? 0) >= most) }))
        .sort(
          (a, b) =>
            a.rank - b.rank ||
            (count.get(a.member) ?? 0) - (count.get(b.member) ?? 0) ||
            (a.member.id < b.member.id ? -1 : 1),
        )
        .slice(0, options.standbys)
        .map(({ member }) => member)
      for (const member of chosen) {
        here.set(member, (here.get(member) ?? 0) + 1)
        count.set(member, (count.get(member) ?? 0) + 1)
      }
      copies.set(id, warming ? [...chosen, warming] : chosen)
    }
  }
  return copies
}

/** Lower is better: a warm copy, then any copy, then none; whoever has its fill comes after all of them. */
function rankOf(member: Candidate, task: TaskPlace, { acceptableLag }: AssignorOptions, full: boolean) {
  const lag = member.lag(task)
  const byCopy = lag === undefined ? 2 : lag <= acceptableLag ? 0 : 1
  return full ? byCopy + 3 : byCopy
}
