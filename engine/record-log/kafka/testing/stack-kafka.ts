/**
 * Real brokers for the tests of this folder, from the server that the stack tests' global setup starts. The engine
 * imports nothing of `test/`, so this speaks to it directly: the words are those of `test/stack/control-server.ts`.
 */
import { inject } from 'vitest'

declare module 'vitest' {
  export interface ProvidedContext {
    stackControlUrl: string
  }
}

export interface StackKafka {
  readonly brokers: readonly string[]
  /** Addresses, files and passwords of a secured one, by name. */
  readonly facts: Readonly<Record<string, string>>
}

/** A private one; nodes count from 0. */
export interface OwnKafka extends StackKafka {
  stop(node?: number): Promise<void>
  kill(node?: number): Promise<void>
  start(node?: number): Promise<void>
  freeze(node?: number): Promise<void>
  thaw(node?: number): Promise<void>
  release(): Promise<void>
}

interface Variant {
  readonly secured?: boolean
  readonly properties?: Readonly<Record<string, string>>
  readonly format?: readonly string[]
}

type Name = 'kafka' | 'kafka-cluster'

/** The run's shared broker. */
export async function sharedKafka(): Promise<StackKafka> {
  return described((await ask({ action: 'up', name: 'kafka' })).facts)
}

/** One that may be killed. */
export async function ownKafka(name: Name, variant: Variant = {}): Promise<OwnKafka> {
  const { facts, set } = await ask({ action: 'own', name, variant })
  const tell = (action: string) => async (node?: number) => {
    await ask({ action, name, set, ...(node !== undefined && { node }) })
  }
  return {
    ...described(facts),
    stop: tell('stop'),
    kill: tell('kill'),
    start: tell('start'),
    freeze: tell('freeze'),
    thaw: tell('thaw'),
    release: () => tell('release')(),
  }
}

const described = (facts: Readonly<Record<string, string>>): StackKafka => ({
  brokers: (facts.brokers ?? '').split(','),
  facts,
})

interface Answer {
  readonly facts: Readonly<Record<string, string>>
  readonly set?: string
}

async function ask(request: object): Promise<Answer> {
  const response = await fetch(inject('stackControlUrl'), { method: 'POST', body: JSON.stringify(request) })
  const answer = (await response.json()) as Answer | { readonly error: string }
  if ('error' in answer) throw new Error(answer.error)
  return answer
}
