/** The one shape in which the API says no. Codes and their meaning: `api/errors.ts`. */
import { type Static, Type } from 'typebox'
import { text } from './fields.ts'

export const errorBody = Type.Object(
  {
    error: Type.Object({
      code: text('Stable; programs decide by it.'),
      message: text('What is wrong, for people.'),
      mend: Type.Optional(text('What to do about it.')),
      details: Type.Optional(
        Type.Array(
          Type.Object({
            where: text('The parameter, e.g. `query.limit`.'),
            what: text('What is wrong with it.'),
          }),
        ),
      ),
    }),
  },
  {
    $id: 'Error',
    description: 'The body of every answer of 400 and above.',
    examples: [
      {
        error: {
          code: 'no_such_delivery',
          message: 'there is no delivery 3f0e8c0a-57a1-5e0b-9a3c-1f2d6a1b7c55',
          mend: 'check the id; what is just routed shows up within seconds, see as_of',
        },
      },
    ],
  },
)
export type ErrorBody = Static<typeof errorBody>
