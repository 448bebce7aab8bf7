/** A mail server that takes what it is told to take: enough of SMTP (RFC 5321) for a sender to be tried against. */
import { type AddressInfo, createServer, type Socket } from 'node:net'

export interface MailServer {
  readonly url: string
  /** Whole messages, headers and all. */
  readonly mails: readonly string[]
  /** `refuse`: has no such mailbox. `hang`: takes connections and says nothing. `away`: is not there. */
  become(otherEnd: 'take' | 'refuse' | 'hang' | 'away'): Promise<void>
  /** Resolves when somebody waits for an answer that does not come. */
  hanging(): Promise<void>
  close(): Promise<void>
}

export interface MailServerOptions {
  /** The answer to RCPT TO; default 250. */
  readonly recipient?: (address: string) => string
}

export async function startMailServer({ recipient }: MailServerOptions = {}): Promise<MailServer> {
  const mails: string[] = []
  const sockets = new Set<Socket>()
  let otherEnd: Parameters<MailServer['become']>[0] = 'take'
  let tellHanging = () => {}
  const hanging = new Promise<void>((resolve) => {
    tellHanging = resolve
  })
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
    if (otherEnd === 'hang') return tellHanging()
    let data: string[] | undefined
    let rest = ''
    const say = (line: string) => socket.write(`${line}\r\n`)
    const take = (line: string) => {
      if (data) {
        if (line !== '.') return void data.push(line)
        mails.push(data.join('\n'))
        data = undefined
        return say('250 taken')
      }
      const verb = line.slice(0, 4).toUpperCase()
      if (verb === 'RCPT')
        return say(otherEnd === 'refuse' ? '550 no such mailbox' : (recipient?.(line) ?? '250 ok'))
      if (verb === 'QUIT') return void socket.end('221 bye\r\n')
      if (verb !== 'DATA') return say('250 ok')
      data = []
      say('354 go on')
    }
    socket.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString('utf8')).split('\r\n')
      rest = lines.pop() ?? ''
      for (const line of lines) take(line)
    })
    say('220 mail.test')
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const { port } = server.address() as AddressInfo
  return {
    url: `smtp://127.0.0.1:${port}`,
    mails,
    hanging: () => hanging,
    async become(next) {
      otherEnd = next
      // What is open was opened under other circumstances.
      for (const socket of sockets) socket.destroy()
      if (next === 'away') await new Promise<void>((closed) => server.close(() => closed()))
      else if (!server.listening)
        await new Promise<void>((listening) => server.listen(port, '127.0.0.1', listening))
    },
    close: () =>
      new Promise((closed) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => closed())
      }),
  }
}
