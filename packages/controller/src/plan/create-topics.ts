// CreateTopics: names, sizes, placement by hand or by us, configurations; every topic of a request is judged by itself.
import {
  Errors,
  type MetadataRecord,
  type RequestOf,
  type ResponseInput,
  type createTopics,
  decodeUuid,
  ZERO_UUID,
} from '@faultline/protocol'
import { invalidConfigValue } from '../config/config-type.ts'
import { topicConfigSynonyms } from '../config/effective-configs.ts'
import { serverNumber } from '../config/server-config.ts'
import { TOPIC_CONFIGS } from '../config/topic-configs.ts'
import { isActive } from '../image/broker-state.ts'
import { type ClusterImage, ResourceType } from '../image/cluster-image.ts'
import { partitionRecord } from '../image/image-records.ts'
import { RECOVERED } from '../image/partition-state.ts'
import { placeReplicas } from './placement.ts'
import { type ApiError, type Plan, type PlanContext, refuse } from './plan.ts'
import { collisionKey, invalidTopicName } from './topic-name.ts'

type Request = RequestOf<typeof createTopics>
type Response = ResponseInput<typeof createTopics>
type Topic = Request['topics'][number]
type Result = NonNullable<Response['topics']>[number]

/** Kafka's limit on the partitions that one request may create. */
export const MAX_PARTITIONS_PER_REQUEST = 10_000
export const TOO_MANY_PARTITIONS = refuse(Errors.POLICY_VIOLATION, 'Excessively large number of partitions per request.')

export function planCreateTopics(context: PlanContext, request: Request): Plan<Response> {
  const names = new NameCheck(context.image, request.topics)
  const records: MetadataRecord[] = []
  const tooMany = partitionsAskedFor(context, request) > MAX_PARTITIONS_PER_REQUEST ? TOO_MANY_PARTITIONS : undefined
  const topics = request.topics.map((topic): Result => {
    const refusal = tooMany ?? names.refusal(topic.name) ?? invalidConfigs(topic)
    const layout = refusal ?? layOut(context, topic)
    if ('error' in layout) return failure(topic.name, layout)
    names.take(topic.name)
    const id = newTopicId(context)
    const created = topicRecords(context, topic, id, layout)
    if (!request.validateOnly) records.push(...created)
    return success(context, topic, request.validateOnly ? ZERO_UUID : id, layout)
  })
  return { records, response: { throttleTimeMs: 0, topics } }
}

function partitionsAskedFor(context: PlanContext, { topics }: Request): number {
  const counts = topics.map(({ assignments, numPartitions }) => assignments.length || sizeOf(context, numPartitions))
  return counts.reduce((sum, count) => sum + Math.max(0, count), 0)
}

/** -1 leaves it to num.partitions. */
function sizeOf({ statics }: PlanContext, numPartitions: number): number {
  return numPartitions === -1 ? serverNumber(statics, 'num.partitions') : numPartitions
}

/** Existing, colliding and repeated names; a request sees the topics that it created before. */
class NameCheck {
  readonly #image: ClusterImage
  readonly #taken = new Map<string, string>()
  readonly #repeated: ReadonlySet<string>

  constructor(image: ClusterImage, topics: readonly Topic[]) {
    this.#image = image
    for (const name of image.topicsByName.keys()) this.take(name)
    const seen = new Set<string>()
    this.#repeated = new Set(topics.map((t) => t.name).filter((name) => seen.has(name) || !seen.add(name)))
  }

  take(name: string): void {
    this.#taken.set(collisionKey(name), name)
  }

  refusal(name: string): ApiError | undefined {
    if (this.#repeated.has(name)) return refuse(Errors.INVALID_REQUEST, 'Duplicate topic name.')
    const invalid = invalidTopicName(name)
    if (invalid) return refuse(Errors.INVALID_TOPIC_EXCEPTION, invalid)
    if (this.#image.topicsByName.has(name)) return refuse(Errors.TOPIC_ALREADY_EXISTS, `Topic '${name}' already exists.`)
    const other = this.#taken.get(collisionKey(name))
    if (other) return refuse(Errors.INVALID_TOPIC_EXCEPTION, `Topic '${name}' collides with existing topic: ${other}`)
    return undefined
  }
}

/** The replicas of each partition. */
function layOut(context: PlanContext, topic: Topic): readonly (readonly number[])[] | ApiError {
  return topic.assignments.length > 0 ? layOutByHand(context, topic) : layOutByUs(context, topic)
}

function layOutByHand(context: PlanContext, topic: Topic): readonly (readonly number[])[] | ApiError {
  if (topic.replicationFactor !== -1) {
    return refuse(
      Errors.INVALID_REQUEST,
      'A manual partition assignment was specified, but replication factor was not set to -1.',
    )
  }
  if (topic.numPartitions !== -1) {
    return refuse(Errors.INVALID_REQUEST, 'A manual partition assignment was specified, but numPartitions was not set to -1.')
  }
  const sorted = [...topic.assignments].sort((a, b) => a.partitionIndex - b.partitionIndex)
  const gap = sorted.findIndex((a, i) => a.partitionIndex !== i)
  if (gap >= 0) {
    return refuse(Errors.INVALID_REPLICA_ASSIGNMENT, 'Found partition ids that are not consecutive, or not starting from 0.')
  }
  for (const { brokerIds } of sorted) {
    const bad = invalidReplicas(context.image, brokerIds, sorted[0]!.brokerIds.length)
    if (bad) return bad
  }
  return sorted.map((a) => a.brokerIds)
}

export function invalidReplicas(image: ClusterImage, replicas: readonly number[], expected: number): ApiError | undefined {
  const bad = (message: string) => refuse(Errors.INVALID_REPLICA_ASSIGNMENT, message)
  if (replicas.length === 0) return bad('The manual partition assignment includes an empty replica list.')
  if (new Set(replicas).size !== replicas.length) {
    return bad(`The manual partition assignment includes the broker ${repeated(replicas)} more than once.`)
  }
  if (replicas.length !== expected) {
    return bad(
      `The manual partition assignment includes a partition with ${replicas.length} replica(s), but this is not consistent with previous partitions, which have ${expected} replica(s).`,
    )
  }
  const unknown = replicas.find((id) => !image.brokers.has(id))
  if (unknown !== undefined)
    return bad(`The manual partition assignment includes broker ${unknown}, but no such broker is registered.`)
  if (!replicas.some((id) => isActive(image.brokers.get(id)))) {
    return bad('All brokers specified in the manual partition assignment are fenced or in controlled shutdown.')
  }
  return undefined
}

function repeated(ids: readonly number[]): number {
  return ids.find((id, i) => ids.indexOf(id) !== i)!
}

function layOutByUs(context: PlanContext, topic: Topic): readonly (readonly number[])[] | ApiError {
  const { numPartitions, replicationFactor } = topic
  if (replicationFactor < -1 || replicationFactor === 0) {
    return refuse(Errors.INVALID_REPLICATION_FACTOR, 'Replication factor must be larger than 0, or -1 to use the default value.')
  }
  if (numPartitions < -1 || numPartitions === 0) {
    return refuse(Errors.INVALID_PARTITIONS, 'Number of partitions was set to an invalid non-positive value.')
  }
  const factor = replicationFactor === -1 ? serverNumber(context.statics, 'default.replication.factor') : replicationFactor
  return placed(context, sizeOf(context, numPartitions), factor)
}

export function placed(context: PlanContext, partitions: number, factor: number): readonly (readonly number[])[] | ApiError {
  const brokers = [...context.image.brokers.values()]
  const usable = brokers.filter((b) => !b.inControlledShutdown).length
  const lists = placeReplicas(brokers, partitions, factor, context.random)
  if (lists) return lists
  const why =
    usable < factor
      ? `The target replication factor of ${factor} cannot be reached because only ${usable} broker(s) are registered.`
      : 'All brokers are currently fenced or in controlled shutdown.'
  return refuse(Errors.INVALID_REPLICATION_FACTOR, `Unable to replicate the partition ${factor} time(s): ${why}`)
}

function invalidConfigs(topic: Topic): ApiError | undefined {
  for (const { name, value } of topic.configs) {
    const definition = TOPIC_CONFIGS.get(name)
    if (!definition) return refuse(Errors.INVALID_CONFIG, `Unknown topic config name: ${name}`)
    if (value === null) return refuse(Errors.INVALID_CONFIG, `Null value not supported for topic configs: ${name}`)
    const invalid = invalidConfigValue(definition, value)
    if (invalid) return refuse(Errors.INVALID_CONFIG, invalid)
  }
  return undefined
}

/** Random, never one of the reserved ids, and never a text that starts with '-', which command lines would take for an option. */
function newTopicId(context: PlanContext): string {
  for (;;) {
    const bytes = context.random.bytes(16)
    bytes[6] = (bytes[6]! & 0x0f) | 0x40
    bytes[8] = (bytes[8]! & 0x3f) | 0x80
    const id = decodeUuid(bytes)
    if (!id.startsWith('-') && !context.image.topicsById.has(id)) return id
  }
}

function topicRecords(
  context: PlanContext,
  topic: Topic,
  topicId: string,
  layout: readonly (readonly number[])[],
): MetadataRecord[] {
  return [
    { type: 'TopicRecord', value: { name: topic.name, topicId } },
    ...topic.configs.map(({ name, value }): MetadataRecord => ({
      type: 'ConfigRecord',
      value: { resourceType: ResourceType.TOPIC, resourceName: topic.name, name, value },
    })),
    ...layout.map((replicas, partition) => newPartition(context.image, topicId, partition, replicas)),
  ]
}

export function newPartition(
  image: ClusterImage,
  topicId: string,
  partition: number,
  replicas: readonly number[],
): MetadataRecord {
  const isr = replicas.filter((id) => isActive(image.brokers.get(id)))
  const value = partitionRecord(topicId, {
    partition,
    replicas,
    isr,
    elr: [],
    lastKnownElr: [],
    addingReplicas: [],
    removingReplicas: [],
    leader: isr[0]!,
    leaderEpoch: 0,
    partitionEpoch: 0,
    leaderRecoveryState: RECOVERED,
  })
  return { type: 'PartitionRecord', value }
}

function success(context: PlanContext, topic: Topic, topicId: string, layout: readonly (readonly number[])[]): Result {
  const own = new Map(topic.configs.map((c) => [c.name, c.value]))
  const configs = [...TOPIC_CONFIGS.keys()].map((name) => {
    const inherited = topicConfigSynonyms(context.image, context.statics, -1, topic.name, name)[0]!
    const value = own.get(name)
    return value === undefined
      ? { name, value: inherited.value, readOnly: false, configSource: inherited.source, isSensitive: false }
      : { name, value, readOnly: false, configSource: 1, isSensitive: false }
  })
  return {
    name: topic.name,
    topicId,
    errorCode: Errors.NONE,
    errorMessage: null,
    numPartitions: layout.length,
    replicationFactor: layout[0]!.length,
    configs,
  }
}

function failure(name: string, { error, message }: ApiError): Result {
  return {
    name,
    topicId: ZERO_UUID,
    errorCode: error,
    errorMessage: message,
    numPartitions: -1,
    replicationFactor: -1,
    configs: [],
  }
}
