// What `npm start`, `npm test` and `npm run stack` run. Uses Node alone, so that it works in a folder where nothing is
// installed yet: it installs when the lock file changed, builds when a source changed, then hands over.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const minimum = [20, 19]

/** Files that are read at run time and that the compiler does not copy. */
const assetFolders = ['schemas/avro', 'connectors/debezium', 'connectors/postgres', 'app/defaults']

function fail(message) {
  process.stderr.write(`waybill: ${message}\n`)
  process.exit(1)
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > minimum[0] || (major === minimum[0] && minor >= minimum[1])) return
  fail(`needs Node ${minimum.join('.')} or newer, this is ${process.versions.node}`)
}

function runNode(args, what) {
  const result = spawnSync(process.execPath, args, { cwd: root, stdio: ['inherit', 2, 2] })
  if (result.status !== 0) fail(`${what} failed (see above)`)
}

function runNpm(args, what) {
  const npm = process.env.npm_execpath
  const result = npm
    ? spawnSync(process.execPath, [npm, ...args], { cwd: root, stdio: ['ignore', 2, 2] })
    : spawnSync('npm', args, { cwd: root, stdio: ['ignore', 2, 2], shell: process.platform === 'win32' })
  if (result.status !== 0) fail(`${what} failed (see above)`)
}

function install() {
  const stamp = join(root, 'node_modules', '.waybill-installed')
  const wanted = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  process.stderr.write('waybill: installing dependencies (once) …\n')
  runNpm(['ci', '--no-audit', '--no-fund'], 'npm ci')
  writeFileSync(stamp, wanted)
}

function build() {
  const first = !existsSync(join(root, 'dist'))
  if (first) process.stderr.write('waybill: building (once) …\n')
  runNode([join(root, 'node_modules/typescript/bin/tsc'), '-b'], 'the build')
  for (const folder of assetFolders) {
    const from = join(root, folder)
    if (!existsSync(from)) continue
    cpSync(from, join(root, 'dist', folder), {
      recursive: true,
      filter: (path) => !/\.(ts|tsbuildinfo)$/.test(path) && !path.endsWith('tsconfig.json'),
    })
  }
  runNode([join(root, 'scripts/prepare-pglite.js')], 'preparing the database of the delivery log')
}

function vitest(args) {
  const program = join(root, 'node_modules/vitest/vitest.mjs')
  const result = spawnSync(process.execPath, [program, 'run', ...args], { cwd: root, stdio: 'inherit' })
  process.exit(result.status ?? 1)
}

function test(args) {
  if (readdirSync(root).includes('biome.json')) {
    runNode([join(root, 'node_modules/@biomejs/biome/bin/biome'), 'check', '.'], 'the format and lint check')
  }
  vitest(args)
}

/** Builds its own part alone: who wants a broker need not wait for the rest. */
async function stack(args) {
  runNode([join(root, 'node_modules/typescript/bin/tsc'), '-b', 'deploy'], 'building the stack')
  process.argv = [process.execPath, join(root, 'dist/deploy/stack/main.js'), ...args]
  await import('../dist/deploy/stack/main.js')
}

const [command, ...args] = process.argv.slice(2)
checkNode()
install()
if (command === 'stack') await stack(args)
else if (command !== 'install') build()
if (command === 'test') test(args)
if (command === 'test:stack') vitest(['--config', 'vitest.stack.config.ts', ...args])
if (command === 'start') {
  process.argv = [process.execPath, join(root, 'bin/waybill.js'), 'start', ...args]
  await import('../bin/waybill.js')
}
