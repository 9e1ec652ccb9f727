// Metadata: who is there, who leads what; a topic that is asked for and missing may be created (auto.create.topics.enable).
import {
  type BrokerState,
  invalidTopicName,
  isActive,
  type PartitionState,
  serverFlag,
  type TopicState,
} from '@faultline/controller'
import { Errors, metadata, type RequestOf, type ResponseInput, ZERO_UUID } from '@faultline/protocol'
import type { Broker } from '../broker.ts'
import { CLUSTER_OPERATIONS, TOPIC_OPERATIONS } from './authorized-operations.ts'
import { handler, type RequestContext } from './handler.ts'

type Topic = NonNullable<ResponseInput<typeof metadata>['topics']>[number]
type Wanted = NonNullable<RequestOf<typeof metadata>['topics']>[number]

const INTERNAL_TOPICS: ReadonlySet<string> = new Set(['__consumer_offsets', '__transaction_state', '__share_group_state'])

export function isInternalTopic(name: string): boolean {
  return INTERNAL_TOPICS.has(name)
}

export const metadataHandler = handler(metadata, async (request, context) => {
  const { broker, version } = context
  const { image } = broker
  const wanted = request.topics
  const all = wanted === null || (version === 0 && wanted.length === 0)
  if (wanted?.some((t) => isNameless(t, version))) return refusal(wanted)
  const topics = all
    ? [...image.topicsByName.values()].map((topic) => describe(context, topic))
    : await Promise.all(unrepeated(wanted).map((t) => find(context, t, request.allowAutoTopicCreation)))
  if (request.includeTopicAuthorizedOperations) {
    for (const topic of topics)
      if (topic.errorCode === Errors.NONE) Object.assign(topic, { topicAuthorizedOperations: TOPIC_OPERATIONS })
  }
  return {
    ...(request.includeClusterAuthorizedOperations ? { clusterAuthorizedOperations: CLUSTER_OPERATIONS } : {}),
    brokers: liveBrokers(broker, context.listener),
    clusterId: broker.clusterId,
    controllerId: anyBroker(broker),
    topics,
  }
})

/** Topics are asked for by id from this version on, though the fields are older. */
const TOPIC_IDS = 12

function isNameless({ name, topicId }: Wanted, version: number): boolean {
  if (version < TOPIC_IDS) return name === null || topicId !== ZERO_UUID
  return name === null && topicId === ZERO_UUID
}

function refusal(wanted: readonly Wanted[]): ResponseInput<typeof metadata> {
  const errorCode = Errors.INVALID_REQUEST
  return { brokers: [], topics: wanted.map(({ name, topicId }) => ({ errorCode, name: name ?? '', topicId, partitions: [] })) }
}

function unrepeated(wanted: readonly Wanted[]): Wanted[] {
  return [...new Map(wanted.map((t) => [t.topicId === ZERO_UUID ? `name ${t.name}` : t.topicId, t])).values()]
}

function liveBrokers(broker: Broker, listener: string) {
  return [...broker.image.brokers.values()]
    .filter((b) => !b.fenced)
    .flatMap((b) => {
      const endpoint = b.listeners.find((l) => l.name === listener)
      return endpoint ? [{ nodeId: b.id, host: endpoint.host, port: endpoint.port, rack: b.rack }] : []
    })
}

/** Controllers are not reachable for clients: KRaft brokers name a random live broker. */
export function anyBroker(broker: Broker): number {
  const alive = [...broker.image.brokers.values()].filter((b: BrokerState) => !b.fenced)
  return alive.length === 0 ? -1 : alive[broker.random.below(alive.length)]!.id
}

async function find(context: RequestContext, { name, topicId }: Wanted, mayCreate: boolean): Promise<Topic> {
  const { broker, version } = context
  if (name === null || topicId !== ZERO_UUID) {
    const topic = broker.image.topicsById.get(topicId)
    return topic ? describe(context, topic) : { errorCode: Errors.UNKNOWN_TOPIC_ID, name: null, topicId, partitions: [] }
  }
  const topic = broker.image.topicsByName.get(name)
  if (topic) return describe(context, topic)
  const failed = (errorCode: number): Topic => ({
    errorCode,
    name,
    topicId: ZERO_UUID,
    isInternal: isInternalTopic(name),
    partitions: [],
  })
  if (invalidTopicName(name)) return failed(Errors.INVALID_TOPIC_EXCEPTION)
  if ((version < 4 || mayCreate) && serverFlag(broker.statics, 'auto.create.topics.enable')) {
    return failed(await broker.autoTopics.create(name))
  }
  return failed(Errors.UNKNOWN_TOPIC_OR_PARTITION)
}

function describe(context: RequestContext, topic: TopicState): Topic {
  return {
    errorCode: Errors.NONE,
    name: topic.name,
    topicId: topic.id,
    isInternal: isInternalTopic(topic.name),
    partitions: topic.partitions.map((p) => describePartition(context, p, context.version)),
  }
}

/** `version` is Metadata's: older ones know no LISTENER_NOT_FOUND. */
export function describePartition({ broker, listener }: RequestContext, p: PartitionState, version: number) {
  const leader = broker.image.brokers.get(p.leader)
  const alive = leader !== undefined && !leader.fenced
  const reachable = alive && leader.listeners.some((l) => l.name === listener)
  const noListener = version >= 6 ? Errors.LISTENER_NOT_FOUND : Errors.LEADER_NOT_AVAILABLE
  return {
    errorCode: reachable ? Errors.NONE : alive ? noListener : Errors.LEADER_NOT_AVAILABLE,
    partitionIndex: p.partition,
    leaderId: reachable ? p.leader : -1,
    leaderEpoch: p.leaderEpoch,
    replicaNodes: [...p.replicas],
    isrNodes: [...p.isr],
    offlineReplicas: p.replicas.filter((id) => !isActive(broker.image.brokers.get(id))),
  }
}
