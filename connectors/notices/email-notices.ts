/**
 * Notices as mails, handed to the operator's mail server over SMTP. The library is loaded with the first mail. Which
 * server that is, the operator says; the addresses are the partners'.
 */
import type { NoticeResult, NoticeSender } from '../../ports/notices.ts'
import { noticeSubject, noticeText } from './notice-words.ts'

export interface SmtpServer {
  /** `smtp://` (STARTTLS where the server offers it) or `smtps://`, with user and password where it wants them. */
  readonly url: string
  /** `Waybill <waybill@example.com>`. */
  readonly from: string
}

export interface EmailNotices extends NoticeSender<'email'> {
  close(): void
}

/** A mail server that does not answer is tried again later. */
const waitMs = 10_000
const connectionsMax = 2

/** Makes the sender of mails. */
export function createEmailNotices({ url, from }: SmtpServer): EmailNotices {
  let closed = false
  let opening: ReturnType<typeof openTransport> | undefined
  return {
    async send(notice, { to }, { signal }) {
      signal.throwIfAborted()
      opening ??= openTransport(url)
      const transport = await opening
      if (closed) transport.close()
      const sending = transport.sendMail({
        from,
        to: [...to],
        subject: noticeSubject(notice),
        text: noticeText(notice),
        // The same for each try: mail programs show a repeat once.
        messageId: `<${notice.notice_id}@${domainOf(from)}>`,
        headers: { 'Auto-Submitted': 'auto-generated', 'X-Waybill-Notice': notice.kind },
        // What is sent is text of ours: nothing is fetched or read for it.
        disableFileAccess: true,
        disableUrlAccess: true,
      })
      return unlessAborted(
        sending.then(() => ({ kind: 'sent' }) as const, smtpFailure),
        signal,
      )
    },
    close() {
      closed = true
      void opening?.then((transport) => transport.close())
    },
  }
}

/** The library knows no signal: what it has begun goes on by itself, and its end is heard by nobody. */
function unlessAborted<T>(result: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted) onAbort()
    result.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}

async function openTransport(url: string) {
  const { createTransport } = await import('nodemailer')
  const { protocol, hostname, port, username, password } = new URL(url)
  const secure = protocol === 'smtps:'
  return createTransport({
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: port === '' ? (secure ? 465 : 587) : Number(port),
    secure,
    // A password never goes over a connection that somebody may read.
    requireTLS: username !== '' && !secure,
    pool: true,
    maxConnections: connectionsMax,
    connectionTimeout: waitMs,
    greetingTimeout: waitMs,
    socketTimeout: waitMs,
    ...(username !== '' && {
      auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) },
    }),
  })
}

/** A 5xx to the address itself is final; a server that is away, busy or wrongly set up may do better later. */
function smtpFailure(error: unknown): NoticeResult {
  const { code, responseCode, command } = error as { code?: string; responseCode?: number; command?: string }
  const detail = `${code ?? 'error'}${responseCode === undefined ? '' : ` ${responseCode}`}${command === undefined ? '' : ` at ${command}`}`
  const isFinal = command === 'RCPT TO' && responseCode !== undefined && responseCode >= 500
  return isFinal ? { kind: 'not_sent', reason: 'refused', detail } : { kind: 'failed', detail }
}

const domainOf = (from: string): string => /@([^\s>]+)/.exec(from)?.[1] ?? 'waybill.invalid'
