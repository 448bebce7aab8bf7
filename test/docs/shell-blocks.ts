/** The examples of a page: what follows `$ ` in a block of code, and the output that stands under it. */

export interface ShellExample {
  readonly command: string
  readonly output: string
}

/** All examples of a Markdown page, in order. */
export function shellExamples(page: string): ShellExample[] {
  return [...page.matchAll(/```(?:console|sh)\n([\s\S]*?)```/g)].flatMap(([, block = '']) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map((text) => {
        const [command = '', ...output] = text.split('\n')
        return { command, output: output.join('\n').trimEnd() }
      }),
  )
}

export interface CurlRequest {
  readonly method: 'GET' | 'POST'
  /** Path and query. */
  readonly url: string
  readonly headers: Record<string, string>
}

/** What a `curl` line asks for; undefined when it is none that is understood. */
export function curlRequest(command: string): CurlRequest | undefined {
  const words = [...command.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, single, double, bare]) => single ?? double ?? bare ?? '',
  )
  if (words[0] !== 'curl') return undefined
  const headers: Record<string, string> = {}
  let method: CurlRequest['method'] = 'GET'
  let url: string | undefined
  for (let at = 1; at < words.length && words[at] !== '|'; at++) {
    const word = words[at] ?? ''
    if (word === '-X') method = words[++at] === 'POST' ? 'POST' : 'GET'
    else if (word === '-H') {
      const [name = '', value = ''] = (words[++at] ?? '').split(/: (.*)/)
      headers[name.toLowerCase()] = value
    } else if (word.startsWith('http://127.0.0.1:4929')) url = word.slice('http://127.0.0.1:4929'.length)
    else if (word !== '-s') return undefined
  }
  return url === undefined ? undefined : { method, url, headers }
}
