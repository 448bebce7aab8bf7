/**
 * Records a release into `test/fixtures/release-<version>`, with the program that is released: until then it may be made
 * anew, from then on it is never changed. `node dist/test/upgrade/record-release.js <folder>`, after the build; the folder
 * must not exist.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { capturedSurroundings } from '../../app/cli/testing/captured-surroundings.ts'
import { programVersion } from '../../app/cli/version.ts'
import { runCommand } from '../../app/main.ts'
import { systemClock } from '../../engine/index.ts'
import { openEmbeddedPipeline } from '../embedded/embedded-pipeline.ts'
import { startReceiver } from '../embedded/receiver.ts'
import { bodyHash, isRefused, type ReleaseFacts, sceneEvents, sceneRecords } from './release-scene.ts'

const pollMs = 50

async function record(folder: string): Promise<void> {
  mkdirSync(folder)
  const data = join(folder, 'data')
  const receiver = await startReceiver((id) => ({ status: isRefused(id) ? 500 : 200, afterMs: 0 }))
  const pipeline = await openEmbeddedPipeline({ directory: data, url: receiver.url })
  const { before, behind } = sceneRecords(systemClock.now())
  await pipeline.ingest.append(before)
  const seen = () => new Set(receiver.received.map(({ webhookId }) => webhookId)).size
  while (seen() < sceneEvents.before) {
    await new Promise<void>((resolve) => systemClock.at(systemClock.now() + pollMs, resolve))
  }
  const recordedAt = systemClock.now()
  await pipeline.stop()
  await receiver.close()

  const refused = receiver.received.filter(({ status }) => status !== 200)
  const facts: ReleaseFacts = {
    version: programVersion(),
    recordedAt,
    accepted: receiver.received.filter(({ status }) => status === 200).map(({ webhookId }) => webhookId),
    refused: Object.fromEntries(refused.map(({ webhookId, body }) => [webhookId, bodyHash(body)])),
  }
  writeFileSync(join(folder, 'facts.json'), `${JSON.stringify(facts, null, 2)}\n`)
  for (const [name, records] of Object.entries({ 'before.jsonl': before, 'behind.jsonl': behind })) {
    writeFileSync(join(folder, name), records.map((each) => `${JSON.stringify(each)}\n`).join(''))
  }
  const surroundings = capturedSurroundings({ cwd: folder })
  const code = await runCommand(['backup', 'release.backup', '--data-dir', 'data'], surroundings)
  if (code !== 0) throw new Error(surroundings.stderr.text())
  // What LevelDB notes about itself is no data.
  for (const part of ['log', 'state']) {
    for (const name of ['LOG', 'LOG.old', 'LOCK']) rmSync(join(data, part, 'level', name), { force: true })
  }
}

const [folder] = process.argv.slice(2)
if (folder === undefined) throw new Error('name the folder to be made')
await record(folder)
