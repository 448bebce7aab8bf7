/** Makes the parts of docs/schemas.md that are output of the program: the walk-through and the catalogue of messages. */
import { type Ran, type TestFolder, testFolder } from '../../app/schemas/testing/schema-folder.ts'
import { ruleCatalogue } from '../../schemas/index.ts'
import { ruleExamples } from './rule-examples.ts'

const groups: readonly (readonly [string, readonly string[], string])[] = [
  ['What a registry refuses', ['avro'], 'Records that are there, or readers that run, fail.'],
  [
    'What JavaScript stumbles over',
    ['javascript'],
    'A registry says yes, and consumers on Node fail or see another shape.',
  ],
  ['Same bytes, other meaning', ['meaning'], 'Nothing fails, and the values are wrong.'],
  ['Texts that are no schemas', ['schema'], 'Exit code 2; other versions are checked all the same.'],
  [
    'Levels and versions',
    ['policy', 'release'],
    'What was released stays, and no subject is without a level for long.',
  ],
  ['How schemas are written', ['lint'], 'Found by `waybill schemas lint`.'],
  ['What is about people', ['privacy'], 'Found by `waybill schemas lint`, too.'],
]

/** Every rule with the real output of its example. Throws when an example does not show its rule. */
export async function catalogueText(): Promise<string> {
  const parts: string[] = []
  for (const [title, members, words] of groups) {
    parts.push(`### ${title}`, '', words, '')
    for (const [id, rule] of ruleCatalogue) {
      if (members.includes(rule.group))
        parts.push(`#### ${id}`, '', `${rule.title}.`, '', await shown(id), '')
    }
  }
  return parts.join('\n').trimEnd()
}

async function shown(id: string): Promise<string> {
  const example = ruleExamples[id]
  if (!example) throw new Error(`rule ${id} has no example in test/schemas/rule-examples.ts`)
  const folder = testFolder(example.before ?? example.files)
  try {
    if (example.before) {
      commit(folder)
      for (const name of Object.keys(example.before)) folder.remove(name)
      for (const [name, content] of Object.entries(example.files)) folder.write(name, content)
    }
    const against = example.before ? ['--against', 'git:main'] : []
    const { out } = await folder.schemas(example.command, ...against)
    return fenced(blockOf(out, id))
  } finally {
    folder.close()
  }
}

/** The remark of one rule in a report, without the heading of its subject. */
function blockOf(out: string, id: string): string {
  const block = out.split('\n\n').find((one) => one.includes(`[${id}]`))
  if (block === undefined) throw new Error(`the example of ${id} does not show it:\n${out}`)
  return block
    .split('\n')
    .filter((line) => !/^[✗⚠]/.test(line) && !line.startsWith('  More: '))
    .map((line) => line.replace(/^ {2}/, ''))
    .join('\n')
}

export const fenced = (text: string): string => `\`\`\`text\n${text.trimEnd()}\n\`\`\``

/** A command and what it wrote, as on a terminal. */
export function session(command: string, { out, err, code }: Ran): string {
  const said = `${out}${err}`.trimEnd()
  return `\`\`\`console\n$ ${command}\n${said}${said === '' ? '' : '\n'}$ echo $?\n${code}\n\`\`\``
}

export function commit(folder: TestFolder): void {
  folder.git('init', '-q', '-b', 'main')
  folder.git('add', '.')
  folder.git('commit', '-q', '-m', 'released')
}
