/**
 * Expected tickets, first in, first out, packed: a million of them wait in a tier, and as strings and numbers each
 * would take more than twice the memory (an id of 36 characters alone 56 bytes; 85 in all, 36 here).
 */
import { type Fifo, makeFifo } from './fifo.ts'

/** A ticket that is expected. */
export interface ExpectedTicket {
  readonly id: string
  readonly generation: number
  readonly dueAt: number
}

export interface TicketColumn {
  push(ticket: ExpectedTicket): void
  /** Due time of the next one; `undefined` when there is none. */
  nextDueAt(): number | undefined
  /** Whether the next one is this. */
  isNext(id: string, generation: number): boolean
  shift(): ExpectedTicket | undefined
}

/** So many are kept together: few enough that an almost empty tier costs little. */
const chunkTickets = 512

interface Chunk {
  /** All ids, one behind the other. */
  bytes: Buffer
  /** Where each id ends. */
  readonly ends: Uint32Array
  /** 1: the id is a UUID, in its 16 bytes; 0: it is UTF-8. */
  readonly uuids: Uint8Array
  readonly generations: Uint32Array
  readonly dueAts: Float64Array
  added: number
  taken: number
}

const uuidBytes = 16
/** As ours are written. Others would not come back as they were, and are kept as text. */
const uuidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
/** Where the groups of its 32 digits begin and end. */
const uuidGroups = [0, 8, 12, 16, 20, 32] as const

const newChunk = (): Chunk => ({
  bytes: Buffer.allocUnsafeSlow(chunkTickets * uuidBytes),
  ends: new Uint32Array(chunkTickets),
  uuids: new Uint8Array(chunkTickets),
  generations: new Uint32Array(chunkTickets),
  dueAts: new Float64Array(chunkTickets),
  added: 0,
  taken: 0,
})

const startOf = ({ ends }: Chunk, at: number): number => (at === 0 ? 0 : (ends[at - 1] ?? 0))

function add(chunk: Chunk, { id, generation, dueAt }: ExpectedTicket): void {
  const at = chunk.added++
  const isUuid = uuidPattern.test(id)
  const start = startOf(chunk, at)
  const end = start + (isUuid ? uuidBytes : Buffer.byteLength(id))
  if (end > chunk.bytes.length) {
    const larger = Buffer.allocUnsafeSlow(Math.max(end, 2 * chunk.bytes.length))
    chunk.bytes.copy(larger, 0, 0, start)
    chunk.bytes = larger
  }
  if (isUuid) chunk.bytes.write(id.replaceAll('-', ''), start, 'hex')
  else chunk.bytes.write(id, start)
  chunk.ends[at] = end
  chunk.uuids[at] = Number(isUuid)
  chunk.generations[at] = generation
  chunk.dueAts[at] = dueAt
}

function idAt(chunk: Chunk, at: number): string {
  const [start, end] = [startOf(chunk, at), chunk.ends[at]]
  if (chunk.uuids[at] === 0) return chunk.bytes.toString('utf8', start, end)
  const digits = chunk.bytes.toString('hex', start, end)
  return uuidGroups
    .slice(1)
    .map((to, group) => digits.slice(uuidGroups[group], to))
    .join('-')
}

const ticketAt = (chunk: Chunk, at: number): ExpectedTicket => ({
  id: idAt(chunk, at),
  generation: chunk.generations[at] ?? 0,
  dueAt: chunk.dueAts[at] ?? 0,
})

/** An empty column. */
export function makeTicketColumn(): TicketColumn {
  const chunks: Fifo<Chunk> = makeFifo()
  let last: Chunk | undefined
  return {
    push(ticket) {
      if (!last || last.added === chunkTickets) {
        last = newChunk()
        chunks.push(last)
      }
      add(last, ticket)
    },
    nextDueAt() {
      const chunk = chunks.peek()
      return chunk?.dueAts[chunk.taken]
    },
    isNext(id, generation) {
      const chunk = chunks.peek()
      return chunk?.generations[chunk.taken] === generation && idAt(chunk, chunk.taken) === id
    },
    shift() {
      const chunk = chunks.peek()
      if (!chunk) return undefined
      const ticket = ticketAt(chunk, chunk.taken++)
      if (chunk.taken === chunk.added) {
        chunks.shift()
        if (chunk === last) last = undefined
      }
      return ticket
    },
  }
}
