/** A DNS server for tests: answers A and AAAA by a table, says that a name does not exist, fails, or keeps silent. */
import { createSocket, type RemoteInfo } from 'node:dgram'

/** `silent`: no answer; `broken`: SERVFAIL; an empty list: the name is there, without such an address. */
export type Answer = readonly string[] | 'silent' | 'broken'

export interface NameServer {
  /** As a resolver wants it: address and port. */
  readonly address: string
  /** What was asked, as `A name` and `AAAA name`. */
  readonly asked: readonly string[]
  close(): Promise<void>
}

const types = { 1: 'A', 28: 'AAAA' } as const

/** Starts one; names that are not in the table do not exist. */
export async function startNameServer(
  table: Readonly<Record<string, { readonly A: Answer; readonly AAAA: Answer }>>,
): Promise<NameServer> {
  const asked: string[] = []
  const socket = createSocket('udp4')
  socket.on('message', (query: Buffer, from: RemoteInfo) => {
    const { name, type, end } = questionOf(query)
    asked.push(`${type} ${name}`)
    const answer = table[name]?.[type]
    if (answer === 'silent') return
    socket.send(reply(query.subarray(0, end), answer), from.port, from.address)
  })
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  return {
    address: `127.0.0.1:${socket.address().port}`,
    asked,
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  }
}

/** The first question: labels from byte 12 on, then type and class. */
function questionOf(query: Buffer): { name: string; type: 'A' | 'AAAA'; end: number } {
  const labels: string[] = []
  let at = 12
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  const type = query.readUInt16BE(at + 1) === 28 ? types[28] : types[1]
  return { name: labels.join('.').toLowerCase(), type, end: at + 5 }
}

const notFound = 3
const serverFailure = 2

function reply(question: Buffer, answer: Answer | undefined): Buffer {
  const addresses = Array.isArray(answer) ? (answer as readonly string[]) : []
  const code = answer === undefined ? notFound : answer === 'broken' ? serverFailure : 0
  const head = Buffer.from(question)
  // A response, recursion available, one question, so many answers, nothing else.
  head.writeUInt16BE(0x8180 | code, 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt16BE(addresses.length, 6)
  head.writeUInt32BE(0, 8)
  return Buffer.concat([head, ...addresses.map(recordOf)])
}

/** The name is a pointer to the question's; the time to live is zero. */
function recordOf(address: string): Buffer {
  const data = address.includes(':')
    ? Buffer.from(
        address
          .split(':')
          .map((group) => group.padStart(4, '0'))
          .join(''),
        'hex',
      )
    : Buffer.from(address.split('.').map(Number))
  const record = Buffer.alloc(12)
  record.writeUInt16BE(0xc00c, 0)
  record.writeUInt16BE(data.length === 16 ? 28 : 1, 2)
  record.writeUInt16BE(1, 4)
  record.writeUInt16BE(data.length, 10)
  return Buffer.concat([record, data])
}
