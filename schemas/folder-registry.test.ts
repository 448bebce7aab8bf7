import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { checkSubject } from './compatibility/check-subject.ts'
import { openFolderRegistry } from './folder-registry.ts'
import { readLevelPolicy } from './folder-registry-check.ts'
import { readSchemaFolder, shippedSchemaFolder } from './schema-folder.ts'
import { assignSchemaIds, type SchemaIds } from './schema-ids.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

const schema = (fields: readonly object[]) => ({ type: 'record', name: 'A', fields })
const field = (name: string, more: object = {}) => ({ name, type: 'int', ...more })

/** A folder of schema files by path. */
function folderOf(files: Record<string, object>): string {
  const folder = mkdtempSync(join(tmpdir(), 'schemas-'))
  folders.push(folder)
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(folder, path, '..'), { recursive: true })
    writeFileSync(join(folder, path), JSON.stringify(content))
  }
  return folder
}

const noIds: SchemaIds = { next: 1, subjects: {} }

/** Gives ids to what has none, as the script does. */
function assign(folder: string, ids: SchemaIds = noIds, replace = false): SchemaIds {
  const assigned = assignSchemaIds(ids, readSchemaFolder(folder), { replace })
  writeFileSync(join(folder, 'ids.json'), JSON.stringify(assigned))
  return assigned
}

describe('the shipped schemas', () => {
  it('all have ids that differ, and the raw text with its tags behind them', () => {
    const registry = openFolderRegistry()
    const files = readSchemaFolder(shippedSchemaFolder)
    const ids = files.map((file) => registry.idOf(file.subject, file.version))
    expect(new Set(ids).size).toBe(files.length)
    for (const [index, file] of files.entries()) {
      const { id, ...rest } = registry.schemaOf(ids[index] ?? 0) ?? {}
      expect(rest).toEqual({ subject: file.subject, version: file.version, text: file.text })
    }
    expect(registry.latest('order.events-value')).toMatchObject({
      version: 3,
      text: expect.stringContaining('"pii"'),
    })
  })

  it('use neither two names for one subject nor an id for two schemas, now or later', () => {
    const folder = folderOf({
      'a-value/v1.avsc': schema([field('x')]),
      'b-value/v1.avsc': schema([field('y')]),
    })
    writeFileSync(join(folder, 'ids.json'), JSON.stringify(assign(folder)).replace('"id":2', '"id":1'))
    expect(() => openFolderRegistry(folder)).toThrow('id 1 to b-value/v1.avsc and to a-value/v1.avsc')
  })
})

describe('a folder registry', () => {
  it('orders versions as numbers: the newest of v1 to v10 is v10', () => {
    const files = Array.from({ length: 10 }, (_, index) => [
      `a-value/v${index + 1}.avsc`,
      schema([field(`x${index}`, { default: 0 })]),
    ])
    const folder = folderOf(Object.fromEntries(files))
    assign(folder)
    expect(openFolderRegistry(folder).latest('a-value').version).toBe(10)
  })

  it('says what to do about a schema without an id', () => {
    const folder = folderOf({ 'a-value/v1.avsc': schema([field('x')]) })
    writeFileSync(join(folder, 'ids.json'), JSON.stringify(noIds))
    expect(() => openFolderRegistry(folder)).toThrow(
      'a-value/v1.avsc has no id in ids.json; run `npm run schemas`',
    )
  })

  it('refuses a schema that changed since it got its id, unless only its docs did', () => {
    const folder = folderOf({ 'a-value/v1.avsc': schema([field('x', { doc: 'one' })]) })
    assign(folder)
    writeFileSync(
      join(folder, 'a-value/v1.avsc'),
      JSON.stringify(schema([field('x', { doc: 'two' })]), null, 2),
    )
    expect(openFolderRegistry(folder).latest('a-value').id).toBe(1)
    for (const changed of [field('x', { pii: 'secret' }), field('x', { default: 1 }), field('y')]) {
      writeFileSync(join(folder, 'a-value/v1.avsc'), JSON.stringify(schema([changed])))
      expect(() => openFolderRegistry(folder)).toThrow('changed since it got its id')
    }
  })

  it('names what it does not have', () => {
    const folder = folderOf({ 'a-value/v1.avsc': schema([field('x')]) })
    assign(folder)
    const registry = openFolderRegistry(folder)
    expect(() => registry.idOf('a-value', 2)).toThrow('a-value has no v2')
    expect(() => registry.latest('b-value')).toThrow('no schema for subject b-value')
    expect(registry.schemaOf(99)).toBeUndefined()
  })

  it('refuses files that are no schema', () => {
    expect(() => readSchemaFolder(folderOf({ 'a-value/1.avsc': {} }))).toThrow('name it v1.avsc')
    expect(() => readSchemaFolder(folderOf({ 'a-value/v1.avsc': { type: 'string' } }))).toThrow(
      'not an Avro record',
    )
    expect(() => readSchemaFolder('/nowhere/at/all')).toThrow('npm run build')
  })
})

describe('a folder with levels', () => {
  const breaking = () => ({
    'a-value/v1.avsc': schema([field('x')]),
    'a-value/v2.avsc': schema([field('x'), field('y')]),
  })
  const opened = (files: Record<string, object>) => {
    const folder = folderOf(files)
    assign(folder)
    return () => openFolderRegistry(folder)
  }

  it('refuses what a registry would refuse, says where, who breaks and what to do', () => {
    expect(opened(breaking())).toThrow(
      [
        'a-value/v2.avsc:1:65 field "y" is new and has no default; write "type": ["null", "int"], "default": null [FIELD_NO_DEFAULT]',
        '  a-value is FULL_TRANSITIVE: v2 readers fail on records of v1',
      ].join('\n'),
    )
  })

  it('takes the level of the subject, where the file has one', () => {
    const levels = (level: string) => ({
      ...breaking(),
      'levels.json': { subjects: { 'a-value': { level } } },
    })
    expect(opened(levels('FORWARD'))).not.toThrow()
    expect(opened(levels('BACKWARD'))).toThrow('FIELD_NO_DEFAULT')
    expect(opened({ ...breaking(), 'levels.json': { default: 'FORWARD_TRANSITIVE' } })).not.toThrow()
  })

  it('refuses a level that there is not, and NONE without a reason and a last day', () => {
    const levels = (entry: object) => ({ ...breaking(), 'levels.json': { subjects: { 'a-value': entry } } })
    expect(opened(levels({ level: 'FULL_TRANSITIV' }))).toThrow('"FULL_TRANSITIV" is no level')
    expect(opened(levels({ level: 'NONE' }))).toThrow('NONE without an exception')
    const exception = { reason: 'rebuilt from the log in one go', expires: '2026-12-31' }
    expect(opened(levels({ level: 'NONE', exception }))).not.toThrow()
    expect(opened(levels({ level: 'NONE', exception: { ...exception, reason: ' ' } }))).toThrow(
      'NONE without',
    )
    expect(opened(levels({ level: 'NONE', exception: { ...exception, expires: 'soon' } }))).toThrow(
      'NONE without',
    )
  })

  it('keeps the order events readable in both directions over all versions', () => {
    expect(readLevelPolicy(shippedSchemaFolder).levelOf('order.events-value')).toBe('FULL_TRANSITIVE')
    const versions = readSchemaFolder(shippedSchemaFolder)
      .filter(({ subject }) => subject === 'order.events-value')
      .map(({ version, path, text }) => ({ version, file: path, text }))
    expect(versions.length).toBeGreaterThan(2)
    const report = checkSubject({ subject: 'order.events-value', level: 'FULL_TRANSITIVE', versions })
    expect(report).toMatchObject({ compatible: true, javascriptAgrees: true, findings: [], problems: [] })
  })
})

describe('giving ids', () => {
  it('keeps the ids that there are and continues behind them', () => {
    const folder = folderOf({ 'b-value/v1.avsc': schema([field('x')]) })
    const before = assign(folder)
    mkdirSync(join(folder, 'a-value'))
    writeFileSync(join(folder, 'a-value/v1.avsc'), JSON.stringify(schema([field('x')])))
    const after = assign(folder, before)
    expect(after.subjects).toMatchObject({ 'b-value': { v1: { id: 1 } }, 'a-value': { v1: { id: 2 } } })
    expect(assign(folder, after)).toEqual(after)
  })

  it('never gives an id twice: a replaced schema gets a new one', () => {
    const folder = folderOf({ 'a-value/v1.avsc': schema([field('x')]) })
    const before = assign(folder)
    writeFileSync(join(folder, 'a-value/v1.avsc'), JSON.stringify(schema([field('y')])))
    expect(assign(folder, before).subjects).toEqual(before.subjects)
    const replaced = assign(folder, before, true)
    expect(replaced).toMatchObject({ next: 3, subjects: { 'a-value': { v1: { id: 2 } } } })
    expect(openFolderRegistry(folder).latest('a-value').id).toBe(2)
  })
})
