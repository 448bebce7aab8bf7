/** The tidy rules as functions over source files: each returns the violations as text, so that each can be shown to fail. */
import { importsOf, isTest, type SourceFile, topFolder } from './source-files.ts'

/** Who may import whom: the walls of the architecture. */
export const walls: Readonly<Record<string, readonly string[]>> = {
  engine: [],
  schemas: [],
  ports: ['schemas', 'engine'],
  processors: ['schemas', 'ports', 'engine'],
  topology: ['processors', 'schemas', 'ports', 'engine'],
  connectors: ['schemas', 'ports', 'engine'],
  api: ['topology', 'schemas', 'ports', 'engine'],
  app: ['engine', 'schemas', 'ports', 'processors', 'topology', 'connectors', 'api'],
  test: ['engine', 'schemas', 'ports', 'processors', 'topology', 'connectors', 'api', 'app', 'deploy'],
  bench: [
    'engine',
    'schemas',
    'ports',
    'processors',
    'topology',
    'connectors',
    'api',
    'app',
    'deploy',
    'test',
  ],
  deploy: [],
}

/** Folders that are entered through one file. */
const fronts: Readonly<Record<string, readonly string[]>> = {
  engine: ['engine/index.ts', 'engine/testing.ts', 'engine/clock.ts'],
  schemas: ['schemas/index.ts', 'schemas/compatibility/index.ts'],
}

export function wallViolations(file: SourceFile): string[] {
  const from = topFolder(file.path)
  return importsOf(file)
    .filter((target) => topFolder(target) !== from)
    .filter((target) => !(walls[from] ?? []).includes(topFolder(target)))
    .map(
      (target) =>
        `${file.path} imports ${target}: ${from}/ may import ${walls[from]?.join(', ') || 'nothing'}`,
    )
}

export function deepImports(file: SourceFile): string[] {
  const from = topFolder(file.path)
  return importsOf(file)
    .filter((target) => topFolder(target) !== from)
    .filter((target) => fronts[topFolder(target)] && !fronts[topFolder(target)]?.includes(target))
    .map((target) => `${file.path} reaches past ${topFolder(target)}/index.ts to ${target}`)
}

/** Tests may use the driver; the product may not. */
export function testOnlyImports(file: SourceFile): string[] {
  if (isTest(file.path) || topFolder(file.path) === 'bench') return []
  return importsOf(file)
    .filter((target) => /(^engine\/testing\.ts$|\/testing\/|\.contract\.ts$|\.test\.ts$)/.test(target))
    .map((target) => `${file.path} imports ${target}, which is for tests`)
}

/** Processors never import each other, nor do the adapters in connectors/. */
export function neighbourImports(file: SourceFile): string[] {
  const [folder, own] = file.path.split('/')
  if (folder !== 'processors' && folder !== 'connectors') return []
  return importsOf(file)
    .filter((target) => target.split('/')[0] === folder && target.split('/')[1] !== own)
    .map((target) => `${file.path} imports its neighbour ${target}`)
}

export function cycles(files: readonly SourceFile[]): string[] {
  const graph = new Map(files.map((file) => [file.path, importsOf(file)]))
  const state = new Map<string, 'open' | 'done'>()
  const found: string[] = []
  const visit = (path: string, trail: readonly string[]) => {
    if (state.get(path) === 'done') return
    if (state.get(path) === 'open') {
      found.push([...trail.slice(trail.indexOf(path)), path].join(' → '))
      return
    }
    state.set(path, 'open')
    for (const next of graph.get(path) ?? []) if (graph.has(next)) visit(next, [...trail, path])
    state.set(path, 'done')
  }
  for (const path of graph.keys()) visit(path, [])
  return found
}

/** Topic names stand in topology/topics.ts and nowhere else in the product; comments may speak of them. */
export function topicNames(file: SourceFile, names: readonly string[]): string[] {
  if (file.path === 'topology/topics.ts' || isTest(file.path)) return []
  const code = file.text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, '')
  return names
    .filter((name) => name.includes('.'))
    .filter((name) => new RegExp(`['"\`]${name.replaceAll('.', '\\.')}['"\`]`).test(code))
    .map((name) => `${file.path} names the topic ${name}: take it from topology/topics.ts`)
}

/** Time and chance come from engine/clock.ts alone. */
export function hiddenTime(file: SourceFile): string[] {
  if (file.path === 'engine/clock.ts' || isTest(file.path) || topFolder(file.path) === 'bench') return []
  return [
    ...file.text.matchAll(/\b(Date\.now\(|new Date\(\)|Math\.random\(|setTimeout\(|setInterval\()/g),
  ].map((match) => `${file.path} uses ${match[1]}…): time and chance come in through engine/clock.ts`)
}

export function unfinished(file: SourceFile): string[] {
  if (file.path.startsWith('test/tidy/')) return []
  return [...file.text.matchAll(/\b(TODO|FIXME|XXX|[Nn]ot implemented)\b/g)].map(
    (match) => `${file.path} says ${match[1]}`,
  )
}

/** Files that a page names in backticks must exist. */
export function missingFiles(page: SourceFile, exists: (path: string) => boolean): string[] {
  const folders = Object.keys(walls).concat('docs', 'grafana', 'scripts', 'bin', '.github', 'dashboard')
  return [...page.text.matchAll(/`([\w./-]+\/[\w./-]*)`/g)]
    .map((match) => match[1] ?? '')
    .filter((path) => folders.includes(topFolder(path)) && !path.startsWith('bin/waybill '))
    .filter((path) => !exists(path.replace(/\/$/, '')))
    .map((path) => `${page.path} names ${path}, which does not exist`)
}
