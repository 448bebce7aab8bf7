import fc from 'fast-check'
import { expect, it } from 'vitest'
import { assembleReplies } from './reply-assembly.ts'

function framed(body: Uint8Array): Buffer {
  const head = Buffer.alloc(4)
  head.writeInt32BE(body.length)
  return Buffer.concat([head, body])
}

it('gives the same replies however their bytes are cut into pieces', () => {
  const bodies = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 })
  fc.assert(
    fc.property(bodies, fc.infiniteStream(fc.integer({ min: 1, max: 30 })), (sent, sizes) => {
      const replies: Buffer[] = []
      const assembly = assembleReplies({
        onReply: (reply) => replies.push(reply),
        onNonsense: (error) => {
          throw error
        },
      })
      const stream = Buffer.concat(sent.map(framed))
      const shared = Buffer.alloc(30)
      for (let at = 0; at < stream.length; ) {
        const size = Math.min(sizes.next().value ?? 1, stream.length - at)
        stream.copy(shared, 0, at, at + size)
        assembly.add(shared.subarray(0, size))
        at += size
      }
      expect(replies).toEqual(sent.map(framed))
    }),
  )
})

it('refuses lengths that no broker sends, and takes nothing after that', () => {
  const errors: Error[] = []
  const replies: Buffer[] = []
  const assembly = assembleReplies({
    onReply: (reply) => replies.push(reply),
    onNonsense: (error) => errors.push(error),
  })
  assembly.add(Buffer.from('HTTP/1.1 400 Bad Request\r\n'))
  assembly.add(framed(Buffer.from('x')))
  expect(errors.map(({ message }) => message)).toEqual([
    'a reply of 1213486160 bytes was announced: this is not a Kafka port',
  ])
  expect(replies).toEqual([])
})
