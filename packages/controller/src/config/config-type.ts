// What a configuration value may be: Kafka's types, parsing and validation. Values travel as strings.

/** DescribeConfigs' numbers for types (KIP-569). */
export const ConfigType = { BOOLEAN: 1, STRING: 2, INT: 3, SHORT: 4, LONG: 5, DOUBLE: 6, LIST: 7, CLASS: 8, PASSWORD: 9 } as const
export type ConfigTypeName = keyof typeof ConfigType

export interface ConfigDefinition {
  readonly name: string
  readonly type: ConfigTypeName
  /** As a string, as DescribeConfigs shows it; null where Kafka has none. */
  readonly default: string | null
  readonly min?: number
  readonly max?: number
  /** For STRING: one of these. For LIST: a subset of these. */
  readonly values?: readonly string[]
  /** Can be set, and is not shown: Kafka has such configurations for its own tests. */
  readonly internal?: true
}

const INTEGER_RANGE: Partial<Record<ConfigTypeName, readonly [bigint, bigint]>> = {
  SHORT: [-32768n, 32767n],
  INT: [-2147483648n, 2147483647n],
  LONG: [-(2n ** 63n), 2n ** 63n - 1n],
}

/** A sentence that says what is wrong with `value`, or undefined when it is fine. */
export function invalidConfigValue(definition: ConfigDefinition, value: string): string | undefined {
  const refuse = (why: string) => `Invalid value ${value} for configuration ${definition.name}: ${why}`
  const text = value.trim()
  switch (definition.type) {
    case 'BOOLEAN':
      return /^(true|false)$/i.test(text) ? undefined : refuse('Expected value to be either true or false')
    case 'SHORT':
    case 'INT':
    case 'LONG': {
      const [low, high] = INTEGER_RANGE[definition.type]!
      if (!/^[+-]?\d{1,20}$/.test(text)) return refuse(`Not a number of type ${definition.type}`)
      const number = BigInt(text.replace(/^\+/, ''))
      if (number < low || number > high) return refuse(`Not a number of type ${definition.type}`)
      return outOfRange(definition, Number(number), refuse)
    }
    case 'DOUBLE':
      return text === '' || Number.isNaN(Number(text))
        ? refuse('Not a number of type DOUBLE')
        : outOfRange(definition, Number(text), refuse)
    case 'LIST': {
      const odd = listItems(text).find((item) => definition.values && !definition.values.includes(item))
      return odd === undefined ? undefined : refuse(`String must be one of: ${definition.values!.join(', ')}`)
    }
    default:
      return !definition.values || definition.values.includes(text)
        ? undefined
        : refuse(`String must be one of: ${definition.values.join(', ')}`)
  }
}

export function listItems(value: string): string[] {
  const items = value.split(',').map((item) => item.trim())
  return items.filter((item) => item !== '')
}

function outOfRange(definition: ConfigDefinition, number: number, refuse: (why: string) => string): string | undefined {
  if (definition.min !== undefined && number < definition.min) return refuse(`Value must be at least ${definition.min}`)
  if (definition.max !== undefined && number > definition.max) return refuse(`Value must be no more than ${definition.max}`)
  return undefined
}
