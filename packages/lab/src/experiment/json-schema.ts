// An experiment as JSON Schema, for editors that complete and check YAML.
import { z } from 'zod'
import { experimentSchema } from './schema.ts'

/** Where a parameter takes the place of a value that is no text. */
const PLACEHOLDER = { type: 'string', pattern: '^\\$\\{[\\w-]+\\}$' }

export function experimentJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(experimentSchema, {
    io: 'input',
    override: ({ jsonSchema }) => {
      const { type } = jsonSchema
      if (type !== 'integer' && type !== 'number' && type !== 'boolean') return
      const { default: otherwise, description, ...plain } = jsonSchema
      for (const key of Object.keys(jsonSchema)) delete (jsonSchema as Record<string, unknown>)[key]
      Object.assign(jsonSchema, { anyOf: [plain, PLACEHOLDER] })
      if (description !== undefined) jsonSchema.description = description
      if (otherwise !== undefined) jsonSchema.default = otherwise
    },
  }) as Record<string, unknown>
}
