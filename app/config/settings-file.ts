/** Reads the configuration file: which settings it holds, as they are written, and on which line. */
import type { Place, Problem } from '../cli/cli-error.ts'
import { type FieldReader, type Fields, fieldReader } from './fields.ts'
import { type SettingGroup, type SettingPath, settingDefaults } from './setting-defaults.ts'
import { readYamlFile, type YamlFile } from './yaml-file.ts'

/** A setting as it was written, under which name, and where. */
export interface GivenSetting {
  readonly text: string
  /** As messages call it: a flag, a variable, or the key in the file. */
  readonly name: string
  /** In a file. */
  readonly place?: Place
}
export type Given = GivenSetting | undefined

export interface SettingsFile {
  readonly problems: Problem[]
  readonly reader: FieldReader | undefined
  /** A single value; `undefined`: the file says nothing. */
  given(path: SettingPath): Given
  /** The group that holds a list, for those that read it themselves. */
  group(name: SettingGroup): Fields | undefined
}

/** Reads the file; what is wrong with its shape is among its problems. No file says nothing. */
export function readSettingsFile(path: string | undefined): SettingsFile {
  return path === undefined ? silent() : settingsOf(readYamlFile(path))
}

const silent = (): SettingsFile => ({
  problems: [],
  reader: undefined,
  given: () => undefined,
  group: () => undefined,
})

/** The same for a document at hand. */
export function settingsOf(file: YamlFile): SettingsFile {
  const reader = fieldReader(file)
  // A file of comments alone is a file that changes nothing.
  const value = file.value ?? {}
  const top = reader.fields(value, [], Object.keys(settingDefaults), 'the configuration')
  const groups = new Map<string, Fields>()
  for (const [name, defaults] of Object.entries(settingDefaults)) {
    if (typeof defaults !== 'object' || defaults === null || top?.has(name) !== true) continue
    const fields = reader.fields(top.raw(name), [name], Object.keys(defaults), `"${name}"`)
    if (fields) groups.set(name, fields)
  }
  return {
    problems: reader.problems,
    reader,
    group: (name) => groups.get(name),
    given(path) {
      const [first = '', second] = path.split('.')
      const fields = second === undefined ? top : groups.get(first)
      const key = second ?? first
      if (fields?.has(key) !== true) return undefined
      const raw = fields.raw(key)
      const place = file.place([...fields.path, key])
      if (typeof raw === 'object') {
        reader.problems.push({
          what: `"${path}" must be one value`,
          place,
          mend: `write "${key}: …" on a line`,
        })
        return undefined
      }
      return { text: String(raw), name: `"${path}"`, place }
    },
  }
}
