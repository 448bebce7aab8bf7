/** Carries a plan out: all of it, or, when something in it is refused or would lose something unasked, nothing. */
import type { Admin } from '../../engine/index.ts'
import { isRefused, type LosingStep, losesSomething, type Step } from './plan.ts'

export type Applied =
  | {
      readonly kind: 'done'
      readonly created: number
      readonly configured: number
      /** Topics whose settings this log cannot change. */
      readonly unchanged: number
    }
  /** Nothing was done. */
  | { readonly kind: 'refused'; readonly because: readonly Step[] }

export interface ApplyOptions {
  readonly admin: Admin
  /** Names of what may be lost. */
  readonly accepted: readonly string[]
}

/** What keeps a plan from being carried out. */
export const obstacles = (steps: readonly Step[], accepted: readonly string[]): readonly Step[] =>
  steps.filter((step) => isRefused(step) || (losesSomething(step) && !accepted.includes(nameOf(step))))

const nameOf = ({ name }: LosingStep): string => name

export async function applyPlan(steps: readonly Step[], { admin, accepted }: ApplyOptions): Promise<Applied> {
  const because = obstacles(steps, accepted)
  if (because.length > 0) return { kind: 'refused', because }
  const created = steps.flatMap((step) =>
    step.kind === 'create'
      ? [{ name: step.topic.name, partitions: step.partitions, config: step.topic.config }]
      : [],
  )
  const configured = steps.flatMap((step) =>
    step.kind === 'configure'
      ? [{ name: step.topic.name, partitions: step.partitions, config: step.topic.config }]
      : [],
  )
  await admin.createTopics(created)
  await admin.configureTopics?.(configured)
  const [changed, unchanged] = admin.configureTopics ? [configured.length, 0] : [0, configured.length]
  return { kind: 'done', created: created.length, configured: changed, unchanged }
}
