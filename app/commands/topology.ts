/** `waybill topology show`: the pipeline as the program has it, as text or as a diagram. */
import type { Command } from 'commander'
import { makeCodecs, makeSealer, openFolderRegistry } from '../../schemas/index.ts'
import { pipeline } from '../../topology/pipeline.ts'
import { makeTopics } from '../../topology/topics.ts'
import { exitCode } from '../cli/exit-code.ts'
import type { Surroundings } from '../cli/surroundings.ts'
import { readSourceFile } from '../config/source.ts'
import type { Finish } from './options.ts'

const examples = `
Examples:
  waybill topology show                      sub-topologies, what they read, write and remember
  waybill topology show --mermaid > p.mmd    a flowchart for a README or https://mermaid.live
`

/** Adds the command to the program. */
export function addTopology(program: Command, surroundings: Surroundings, finish: Finish): void {
  const topology = program.command('topology').description('look at the graph of the pipeline')
  topology
    .command('show')
    .description('print the graph')
    .option('--mermaid', 'as a Mermaid flowchart')
    .addHelpText('after', examples)
    .action(({ mermaid }: { mermaid?: boolean }) => {
      const graph = describedPipeline(surroundings)
      surroundings.stdout.write(`${(mermaid ? graph.mermaid() : graph.describe()).trimEnd()}\n`)
      finish(exitCode.ok)
    })
}

/** The graph does not depend on keys; it is never run here. */
function describedPipeline({ random }: Surroundings) {
  const codecs = makeCodecs(openFolderRegistry())
  const sealer = makeSealer({ keys: [{ id: 'drawing', key: random.bytes(32) }], active: 'drawing', random })
  return pipeline({ topics: makeTopics(codecs), codecs, sealer, mapping: readSourceFile() })
}
