// Which fields of a message name what it is about, and which carry its errors: found once in the schema, by the names that all of Kafka's
// messages share. So nothing needs to be written per API to take a part out of a request or to put an error into an answer.
import type { FieldSpec, Fields } from './fields.ts'

/** A list of topics, perhaps each with a list of partitions. */
export interface TopicParts {
  /** Field of the list. */
  readonly list: string
  /** Fields of its elements; undefined where the message has none. */
  readonly name: string | undefined
  readonly id: string | undefined
  /** Field of the partitions; undefined for a list of topics alone. */
  readonly partitions: string | undefined
  /** Field of a partition's number; undefined where partitions are plain numbers. */
  readonly index: string | undefined
  /** Field of a partition's error, or of the topic's where there are no partitions. */
  readonly error: string | undefined
}

const TOPIC_NAMES = ['name', 'topic', 'topicName']
const PARTITION_INDEXES = ['partitionIndex', 'index', 'partition', 'partitionId']
const ERRORS = ['errorCode', 'partitionErrorCode']

type ArrayField = Extract<FieldSpec, { type: 'array' }>

/** The lists of topics at the top of a message. */
export function topicParts(fields: Fields): TopicParts[] {
  return Object.entries(fields).flatMap(([list, { spec }]) => {
    const element = structOf(spec)
    const parts = element && partsOf(list, element)
    return parts ? [parts] : []
  })
}

function partsOf(list: string, element: Fields): TopicParts | undefined {
  const name = first(element, TOPIC_NAMES, 'string')
  const id = first(element, ['topicId'], 'uuid')
  if (name === undefined && id === undefined) return undefined
  const partitions = Object.entries(element).find(([, { spec }]) => isPartitions(spec))
  const inner = partitions && structOf(partitions[1].spec)
  const index = inner && first(inner, PARTITION_INDEXES, 'int32')
  const error = first(inner ?? element, ERRORS, 'int16')
  const aboutTopics = partitions !== undefined || /topic|response/i.test(list)
  return aboutTopics ? { list, name, id, partitions: partitions?.[0], index, error } : undefined
}

function isPartitions(spec: FieldSpec): boolean {
  if (spec.type !== 'array') return false
  const inner = structOf(spec)
  return inner ? first(inner, PARTITION_INDEXES, 'int32') !== undefined : (spec as ArrayField).element === 'int32'
}

function structOf(spec: FieldSpec): Fields | undefined {
  return spec.type === 'array' && typeof spec.element !== 'string' ? (spec.element as Fields) : undefined
}

function first(fields: Fields, names: readonly string[], type: FieldSpec['type']): string | undefined {
  return names.find((name) => fields[name]?.spec.type === type)
}

/** Names that a message carries at its top, or in a list there: "groupId", "transactionalId" and the like. */
export function namesIn(fields: Fields, wanted: RegExp): readonly ((value: Record<string, unknown>) => string[])[] {
  return Object.entries(fields).flatMap(([name, { spec }]) => {
    const element = structOf(spec)
    if (element)
      return namesIn(element, wanted).map(
        (read) => (value: Record<string, unknown>) => ((value[name] ?? []) as Record<string, unknown>[]).flatMap(read),
      )
    if (!wanted.test(name)) return []
    const isList = spec.type === 'array' && spec.element === 'string'
    if (spec.type !== 'string' && !isList) return []
    return [
      (value: Record<string, unknown>) => [value[name]].flat().filter((v): v is string => typeof v === 'string' && v !== ''),
    ]
  })
}
