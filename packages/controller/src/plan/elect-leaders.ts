// ElectLeaders: elections that a person asks for, of named partitions or of all of them (KIP-183, KIP-460).
import { type electLeaders, Errors, type MetadataRecord, type RequestOf, type ResponseInput } from '@faultline/protocol'
import { NO_LEADER } from '../image/partition-state.ts'
import { changePartition } from './leadership.ts'
import type { Election } from './partition-change.ts'
import { type ApiError, type Plan, type PlanContext, refuse } from './plan.ts'

type Request = RequestOf<typeof electLeaders>
type Response = ResponseInput<typeof electLeaders>
type TopicResult = NonNullable<Response['replicaElectionResults']>[number]
type PartitionResult = NonNullable<TopicResult['partitionResult']>[number]
type Wanted = NonNullable<Request['topicPartitions']>[number]

const ELECTIONS: readonly Election[] = ['preferred', 'unclean']

/** Kafka's limit on what one request may change. */
const MAX_RECORDS = 10_000

export function planElectLeaders(context: PlanContext, request: Request, version: number): Plan<Response> {
  const election = ELECTIONS[request.electionType]
  if (request.topicPartitions?.length === 0) return answer([])
  const refused = (error: number, message: string) => ({
    records: [],
    response: failedElections(request, version, error, message),
  })
  if (!election) return refused(Errors.INVALID_REQUEST, `Unknown election type ${request.electionType}`)
  const records: MetadataRecord[] = []
  const elected = ({ topic, partitions }: Wanted): TopicResult => ({
    topic,
    partitionResult: partitions.map((partition) => {
      const outcome = electOne(context, topic, partition, election)
      if (!('error' in outcome)) records.push(outcome)
      return partitionResult(partition, 'error' in outcome ? outcome : undefined)
    }),
  })
  const results = request.topicPartitions?.map(elected) ?? everyPartition(context).map(elected).map(withoutUnneeded)
  if (records.length > MAX_RECORDS)
    return refused(Errors.POLICY_VIOLATION, 'Unable to perform excessively large batch operation.')
  return answer(results, records)
}

/** The change of a partition, or why there is none. */
function electOne(context: PlanContext, name: string, index: number, election: Election): MetadataRecord | ApiError {
  const topic = context.image.topicsByName.get(name)
  if (!topic) return refuse(Errors.UNKNOWN_TOPIC_OR_PARTITION, `No such topic as ${name}`)
  const partition = topic.partitions[index]
  if (!partition) return refuse(Errors.UNKNOWN_TOPIC_OR_PARTITION, `No such partition as ${name}-${index}`)
  const isLed = election === 'preferred' ? partition.leader === partition.replicas[0] : partition.leader !== NO_LEADER
  if (isLed) return refuse(Errors.ELECTION_NOT_NEEDED, 'Leader election not needed for topic partition.')
  const nobody =
    election === 'preferred'
      ? refuse(Errors.PREFERRED_LEADER_NOT_AVAILABLE, 'The preferred leader was not available.')
      : refuse(Errors.ELIGIBLE_LEADERS_NOT_AVAILABLE, 'Eligible topic partition leaders are not available.')
  return changePartition(context, topic, partition, { election }) ?? nobody
}

function everyPartition({ image }: PlanContext): Wanted[] {
  return [...image.topicsByName].map(([topic, { partitions }]) => ({ topic, partitions: partitions.map((p) => p.partition) }))
}

/** Who asks for all hears of those that needed it; a topic stays, also without any. */
function withoutUnneeded({ topic, partitionResult: results = [] }: TopicResult): TopicResult {
  return { topic, partitionResult: results.filter((result) => result.errorCode !== Errors.ELECTION_NOT_NEEDED) }
}

function partitionResult(partitionId: number, refusal: ApiError | undefined): PartitionResult {
  return { partitionId, errorCode: refusal?.error ?? Errors.NONE, errorMessage: refusal?.message ?? null }
}

function answer(replicaElectionResults: TopicResult[], records: readonly MetadataRecord[] = []): Plan<Response> {
  return { records, response: { replicaElectionResults } }
}

/** The answer to a request that failed as a whole; its first version has no place to say so. */
export function failedElections(
  { topicPartitions }: Request,
  version: number,
  errorCode: number,
  message: string | null = null,
): Response {
  const replicaElectionResults = (topicPartitions ?? []).map(({ topic, partitions }) => ({
    topic,
    partitionResult: partitions.map((partitionId) => ({ partitionId, errorCode, errorMessage: message })),
  }))
  return { ...(version >= 1 ? { errorCode } : {}), replicaElectionResults }
}
