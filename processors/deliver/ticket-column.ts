/**
 * Expected tickets, first in, first out, packed: a million of them wait in a tier, and as strings and numbers each
 * would take twice the memory (an id of 36 characters alone 56 bytes).
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
  /** All ids, one behind the other, as UTF-8. */
  bytes: Buffer
  /** Where each id ends. */
  readonly ends: Uint32Array
  readonly generations: Uint32Array
  readonly dueAts: Float64Array
  added: number
  taken: number
}

/** Room for as many ids as long as this one; more is made when others are longer. */
const newChunk = (id: string): Chunk => ({
  bytes: Buffer.allocUnsafeSlow(chunkTickets * Buffer.byteLength(id)),
  ends: new Uint32Array(chunkTickets),
  generations: new Uint32Array(chunkTickets),
  dueAts: new Float64Array(chunkTickets),
  added: 0,
  taken: 0,
})

function add(chunk: Chunk, { id, generation, dueAt }: ExpectedTicket): void {
  const at = chunk.added++
  const start = at === 0 ? 0 : (chunk.ends[at - 1] ?? 0)
  const end = start + Buffer.byteLength(id)
  if (end > chunk.bytes.length) {
    const larger = Buffer.allocUnsafeSlow(Math.max(end, 2 * chunk.bytes.length))
    chunk.bytes.copy(larger, 0, 0, start)
    chunk.bytes = larger
  }
  chunk.bytes.write(id, start)
  chunk.ends[at] = end
  chunk.generations[at] = generation
  chunk.dueAts[at] = dueAt
}

function ticketAt({ bytes, ends, generations, dueAts }: Chunk, at: number): ExpectedTicket {
  const start = at === 0 ? 0 : (ends[at - 1] ?? 0)
  return {
    id: bytes.toString('utf8', start, ends[at]),
    generation: generations[at] ?? 0,
    dueAt: dueAts[at] ?? 0,
  }
}

/** An empty column. */
export function makeTicketColumn(): TicketColumn {
  const chunks: Fifo<Chunk> = makeFifo()
  let last: Chunk | undefined
  return {
    push(ticket) {
      if (!last || last.added === chunkTickets) {
        last = newChunk(ticket.id)
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
      return chunk?.generations[chunk.taken] === generation && ticketAt(chunk, chunk.taken).id === id
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
