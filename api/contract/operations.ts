/** What the API says about the process itself. */
import { type Static, Type } from 'typebox'
import { count, text } from './fields.ts'

export const aliveBody = Type.Object(
  { status: text('Always `ok`: the process answers.'), version: text('Version of the program.') },
  { $id: 'Alive', description: 'The process is alive.', examples: [{ status: 'ok', version: '0.1.0' }] },
)
export type AliveBody = Static<typeof aliveBody>

const findings = (description: string) =>
  Type.Array(
    Type.Object({
      part: text('What is concerned, e.g. `pipeline`, `delivery_log`.'),
      what: text('What is wrong with it.'),
      mend: Type.Optional(text('What to do about it.')),
    }),
    { description },
  )

export const readinessBody = Type.Object(
  {
    ready: Type.Boolean({ description: 'Whether it should be given work.' }),
    reasons: findings('Why it is not ready.'),
    degraded: findings('What does not work at the moment, and does not keep it from its main work.'),
    version: text('Version of the program.'),
  },
  {
    $id: 'Readiness',
    description: 'Whether the process should be given work, and why not.',
    examples: [
      {
        ready: false,
        reasons: [{ part: 'pipeline', what: 'restoring state: 3 of 8 tasks are ready' }],
        degraded: [],
        version: '0.1.0',
      },
    ],
  },
)
export type ReadinessBody = Static<typeof readinessBody>

export const ingestedBody = Type.Object(
  {
    accepted: count('Taken, and durable.'),
    repeated: count('Had been taken before, by their position in the source.'),
    ignored: Type.Record(Type.String(), Type.Integer(), {
      description: 'Not for us, by why: other_topic, heartbeat, transaction, schema_change.',
    }),
  },
  {
    $id: 'Ingested',
    description: 'What became of the changes of a request.',
    examples: [{ accepted: 3, repeated: 1, ignored: { heartbeat: 1 } }],
  },
)
export type IngestedBody = Static<typeof ingestedBody>
