// CreatePartitions: a topic grows, placed by hand or by us.
import { type createPartitions, Errors, type MetadataRecord, type RequestOf, type ResponseInput } from '@faultline/protocol'
import type { TopicState } from '../image/partition-state.ts'
import { invalidReplicas, MAX_PARTITIONS_PER_REQUEST, newPartition, placed, TOO_MANY_PARTITIONS } from './create-topics.ts'
import { type ApiError, type Plan, type PlanContext, refuse } from './plan.ts'

type Request = RequestOf<typeof createPartitions>
type Response = ResponseInput<typeof createPartitions>
type Growth = Request['topics'][number]

export function planCreatePartitions(context: PlanContext, request: Request): Plan<Response> {
  const records: MetadataRecord[] = []
  const counts = new Map<string, number>()
  for (const { name } of request.topics) counts.set(name, (counts.get(name) ?? 0) + 1)
  let budget = MAX_PARTITIONS_PER_REQUEST
  const results = request.topics.map((growth) => {
    const layout =
      counts.get(growth.name)! > 1 ? refuse(Errors.INVALID_REQUEST, 'Duplicate topic name.') : grow(context, growth, budget)
    if ('error' in layout) return { name: growth.name, errorCode: layout.error, errorMessage: layout.message }
    const topic = context.image.topicsByName.get(growth.name)!
    const first = topic.partitions.length
    budget -= layout.length
    if (!request.validateOnly) {
      records.push(...layout.map((replicas, i) => newPartition(context.image, topic.id, first + i, replicas)))
    }
    return { name: growth.name, errorCode: Errors.NONE, errorMessage: null }
  })
  return { records, response: { throttleTimeMs: 0, results } }
}

/** `budget`: partitions that this request may still add. */
function grow(context: PlanContext, growth: Growth, budget: number): readonly (readonly number[])[] | ApiError {
  const topic = context.image.topicsByName.get(growth.name)
  if (!topic) return refuse(Errors.UNKNOWN_TOPIC_OR_PARTITION, 'This server does not host this topic-partition.')
  const now = topic.partitions.length
  if (growth.count === now) return refuse(Errors.INVALID_PARTITIONS, `Topic already has ${now} partition(s).`)
  if (growth.count < now) {
    const what = `The topic ${growth.name} currently has ${now} partition(s); ${growth.count} would not be an increase.`
    return refuse(Errors.INVALID_PARTITIONS, what)
  }
  const added = growth.count - now
  if (added > budget) return TOO_MANY_PARTITIONS
  const factor = topic.partitions[0]!.replicas.length
  if (growth.assignments === null) return placed(context, added, factor)
  return byHand(context, topic, growth.assignments, added, factor)
}

function byHand(
  context: PlanContext,
  topic: TopicState,
  assignments: NonNullable<Growth['assignments']>,
  added: number,
  factor: number,
): readonly (readonly number[])[] | ApiError {
  if (assignments.length !== added) {
    const what = `Attempted to add ${added} additional partition(s) to ${topic.name}, but only ${assignments.length} assignment(s) were specified.`
    return refuse(Errors.INVALID_REPLICA_ASSIGNMENT, what)
  }
  for (const { brokerIds } of assignments) {
    const bad = invalidReplicas(context.image, brokerIds, factor)
    if (bad) return bad
  }
  return assignments.map((a) => a.brokerIds)
}
