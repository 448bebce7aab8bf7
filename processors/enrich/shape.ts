/** The types of ENRICH's surroundings: what it reads, writes, remembers and asks. */
import type { ProcessorContext, ProcessorShape } from '../../engine/index.ts'
import type { LookupRequest, LookupResult } from '../../ports/dispatch.ts'
import type {
  AssignmentChange,
  AssignmentState,
  OrderChange,
  OrderCommand,
  OrderEvent,
  OrderGaps,
  OrderState,
} from '../../schemas/index.ts'

export interface EnrichShape extends ProcessorShape {
  readonly inputs: {
    /** Keyed by order_id, like everything here. */
    readonly change: { key: string; value: OrderChange }
    readonly assignment: { key: string; value: AssignmentChange }
    /** What people ask for. */
    readonly command: { key: string; value: OrderCommand }
  }
  readonly outputs: {
    readonly event: { key: string; value: OrderEvent }
    /** The gaps of an order, whenever they change; null when none are left. */
    readonly gaps: { key: string; value: OrderGaps | null }
  }
  readonly stores: { readonly orders: OrderState; readonly assignments: AssignmentState }
  readonly globals: Record<never, never>
  readonly effects: { readonly lookup: { request: LookupRequest; result: LookupResult } }
}

/** What the handlers get from the engine. */
export type EnrichContext = ProcessorContext<EnrichShape>
