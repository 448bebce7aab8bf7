/**
 * Takes the captured files that appear in a folder, each once, in the order of their names. How far a file was taken
 * is written in one transaction with its records, so a kill -9 neither loses nor repeats a line. A file that was taken
 * goes to `done/`. One that cannot be read to its end is reported and stops the ones behind it: their changes are
 * later, and taken first they would make those that are missing look old.
 */
import { existsSync, mkdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import type { AppendBatch, Clock, Writer } from '../../engine/index.ts'
import type { FileProgress } from '../../schemas/index.ts'
import type { Ingest } from './append.ts'
import { type BadLine, CapturedFileError } from './captured-file.ts'
import { readFileSteps } from './file-steps.ts'
import { folderLooks, isSame, type SeenFile } from './folder-looks.ts'

export interface FolderIngestOptions {
  readonly folder: string
  readonly ingest: Pick<Ingest, 'prepare'>
  /** With a transactional id of its own. */
  readonly writer: Pick<Writer, 'init' | 'begin'>
  readonly progress: ProgressTopic
  /** Real time. */
  readonly clock: Clock
  /** When the pipeline is too far behind to take more: for how many seconds to hold back. */
  overloaded?(): number | undefined
  readonly onBadLine: (problem: BadLine) => void
  /** Told once about everything that keeps a file, or the folder, from being taken. It is tried again and again. */
  readonly report: (message: string, cause?: unknown) => void
  readonly settleMs?: number
  readonly pollMs?: number
}

/** Where the progress of files is kept. */
export interface ProgressTopic {
  read(): Promise<readonly FileProgress[]>
  /** What to append to say how far a file is; null: it is gone. */
  batch(file: string, progress: FileProgress | null): AppendBatch
}

/** What was taken since the start. */
export interface FolderCounts {
  readonly files: number
  readonly records: number
  readonly badLines: number
}

/** The ingest of one folder. */
export interface FolderIngest {
  /** Takes files until the signal aborts; resolves then. */
  run(signal: AbortSignal): Promise<void>
  /** One look: takes the file whose turn it is, if it may be taken; whether it was taken to its end. */
  look(signal: AbortSignal): Promise<boolean>
  counts(): FolderCounts
}

const doneFolder = 'done'
const defaultPollMs = 1000

/** Makes the ingest of one folder; only one may run on it. */
export function createFolderIngest(options: FolderIngestOptions): FolderIngest {
  const { folder, clock, writer } = options
  const looks = folderLooks(folder, options.settleMs)
  const counts = { files: 0, records: 0, badLines: 0 }
  let known: Map<string, FileProgress> | undefined
  let lastReport = ''

  /** Fences whoever wrote before, then reads what was decided: in this order nothing can change behind our back. */
  const open = async () => {
    await writer.init()
    known = new Map((await options.progress.read()).map((progress) => [progress.file, progress]))
    return known
  }

  const commit = async (batches: readonly AppendBatch[]) => {
    const transaction = writer.begin()
    await transaction.append(batches)
    await transaction.end('commit')
  }

  async function take(
    seen: SeenFile,
    progressOf: Map<string, FileProgress>,
    signal: AbortSignal,
  ): Promise<boolean> {
    const file = join(folder, seen.name)
    let progress = resumeAt(seen, progressOf.get(seen.name), clock.now())
    if (progress.done) return true
    const write = async (next: FileProgress, batches: readonly AppendBatch[]) => {
      await commit([...batches, options.progress.batch(seen.name, next)])
      progressOf.set(seen.name, next)
      progress = next
    }
    for await (const step of readFileSteps(file, { fromLine: progress.lines, now: clock.now })) {
      await roomFor(signal)
      if (signal.aborted) return false
      const prepared = options.ingest.prepare(step.records)
      const badLines = progress.bad_lines + step.badLines.length
      await write({ ...progress, lines: step.lines, bad_lines: badLines, at: clock.now() }, prepared.batches)
      prepared.appended()
      counts.records += step.records.length
      counts.badLines += step.badLines.length
      step.badLines.forEach(options.onBadLine)
    }
    await write({ ...progress, done: true, at: clock.now() }, [])
    return true
  }

  async function roomFor(signal: AbortSignal): Promise<void> {
    for (let holdS = options.overloaded?.(); holdS !== undefined; holdS = options.overloaded?.()) {
      await wait(clock, holdS * 1000, signal)
      if (signal.aborted) return
    }
  }

  /** Moves the file away, then forgets it. A crash in between leaves an entry that fits no file, and `tidy` removes it. */
  async function finish(seen: SeenFile, progressOf: Map<string, FileProgress>): Promise<void> {
    mkdirSync(join(folder, doneFolder), { recursive: true })
    renameSync(
      join(folder, seen.name),
      join(folder, doneFolder, freeName(join(folder, doneFolder), seen.name)),
    )
    await forget(seen.name, progressOf)
    counts.files += 1
  }

  async function forget(name: string, progressOf: Map<string, FileProgress>): Promise<void> {
    await commit([options.progress.batch(name, null)])
    progressOf.delete(name)
  }

  async function tidy(progressOf: Map<string, FileProgress>): Promise<void> {
    const present = new Set(looks.names())
    for (const name of [...progressOf.keys()]) if (!present.has(name)) await forget(name, progressOf)
  }

  async function look(signal: AbortSignal): Promise<boolean> {
    let at = folder
    try {
      const progressOf = known ?? (await open())
      const seen = looks.next(clock.now())
      if (!seen) {
        await tidy(progressOf)
        lastReport = ''
        return false
      }
      at = join(folder, seen.name)
      if (!(await take(seen, progressOf, signal))) return false
      await finish(seen, progressOf)
      return true
    } catch (cause) {
      // What was in flight may have been committed or not: ask the log before going on.
      if (!(cause instanceof CapturedFileError)) known = undefined
      const reason = cause instanceof CapturedFileError ? cause.reason : String(cause)
      const message = `${at} cannot be taken (${reason}); the files behind it wait`
      if (message !== lastReport) options.report(message, cause)
      lastReport = message
      return false
    }
  }

  return {
    counts: () => ({ ...counts }),
    look,
    async run(signal) {
      while (!signal.aborted) {
        if (!(await look(signal))) await wait(clock, options.pollMs ?? defaultPollMs, signal)
      }
    },
  }
}

/** Where to go on: behind what was taken of this very file, at the start of any other. */
function resumeAt(seen: SeenFile, known: FileProgress | undefined, now: number): FileProgress {
  const was = known && { name: known.file, bytes: known.bytes, modifiedAt: known.modified_at }
  if (known && was && isSame(was, seen)) return known
  return {
    file: seen.name,
    bytes: seen.bytes,
    modified_at: seen.modifiedAt,
    lines: 0,
    bad_lines: 0,
    done: false,
    at: now,
  }
}

/** A file of the same name may have been done before; neither is overwritten. */
function freeName(folder: string, name: string): string {
  for (let number = 1; ; number += 1) {
    const candidate = number === 1 ? name : `${name}.${number}`
    if (!existsSync(join(folder, candidate))) return candidate
  }
}

function wait(clock: Clock, forMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const done = () => {
      cancel()
      signal.removeEventListener('abort', done)
      resolve()
    }
    const cancel = clock.at(clock.now() + forMs, done)
    signal.addEventListener('abort', done)
  })
}
