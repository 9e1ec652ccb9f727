// AddPartitionsToTxn: from clients for one transaction, from brokers for several, to make partitions part of one or ask whether they are.
import type { PartitionVerdict, ProducerClaim, TransactionPartitions } from '@faultline/coordinator'
import { addPartitionsToTxn, type ErrorCode, Errors, type RequestOf, type ResponseInput } from '@faultline/protocol'
import type { Broker } from '../broker.ts'
import { isInternalTopic } from './03-metadata.ts'
import { handler } from './handler.ts'

type Request = RequestOf<typeof addPartitionsToTxn>
type Topic = Request['v3AndBelowTopics'][number]
type TopicResult = NonNullable<ResponseInput<typeof addPartitionsToTxn>['resultsByTopicV3AndBelow']>[number]

/** Since here it is brokers that ask. */
const BATCHED_SINCE = 4
/** Since here a partition that a broker adds is that of a producer whose epoch goes up with each transaction (KIP-890). */
const EPOCH_BUMP_SINCE = 5
const TRANSACTION_V2 = 2
/** Before, clients did not know PRODUCER_FENCED (KIP-588). */
const PRODUCER_FENCED_SINCE = 2

export const addPartitionsToTxnHandler = handler(addPartitionsToTxn, async (request, { broker, version }) => {
  if (version < BATCHED_SINCE) {
    const { v3AndBelowTransactionalId: transactionalId, v3AndBelowTopics: topics } = request
    const claim = { transactionalId, producerId: request.v3AndBelowProducerId, producerEpoch: request.v3AndBelowProducerEpoch }
    const verdict = impossible(topics, clientError(broker)) ?? (await add(broker, claim, topics, 0))
    const known: PartitionVerdict = (topic, partition) => {
      const error = verdict(topic, partition)
      return error === Errors.PRODUCER_FENCED && version < PRODUCER_FENCED_SINCE ? Errors.INVALID_PRODUCER_EPOCH : error
    }
    return { resultsByTopicV3AndBelow: results(topics, known) }
  }
  const answerOne = async ({ verifyOnly, topics: asked, ...claim }: Request['transactions'][number]) => {
    const topics = asked.filter(({ partitions }) => partitions.length > 0)
    const verdict =
      impossible(topics, brokerError(broker)) ??
      (verifyOnly
        ? await broker.transactions.coordinator.verifyPartitions(claim)
        : await add(broker, claim, topics, version >= EPOCH_BUMP_SINCE ? TRANSACTION_V2 : 0))
    return { transactionalId: claim.transactionalId, topicResults: results(topics, verdict) }
  }
  return { errorCode: Errors.NONE, resultsByTransaction: await Promise.all(request.transactions.map(answerOne)) }
})

type Check = (topic: string, partition: number) => ErrorCode

/** All or nothing: where one partition cannot be asked for, none is. Undefined when all can. */
function impossible(topics: readonly Topic[], check: Check): PartitionVerdict | undefined {
  const all = topics.flatMap(({ name, partitions }) => partitions.map((p) => check(name, p)))
  if (all.every((error) => error === Errors.NONE)) return undefined
  return (topic, partition) => check(topic, partition) || Errors.OPERATION_NOT_ATTEMPTED
}

function brokerError(broker: Broker): Check {
  return (topic, partition) => (broker.hasPartition(topic, partition) ? Errors.NONE : Errors.UNKNOWN_TOPIC_OR_PARTITION)
}

/** The partitions of internal topics come into transactions by other ways. */
function clientError(broker: Broker): Check {
  const check = brokerError(broker)
  return (topic, partition) => (isInternalTopic(topic) ? Errors.TOPIC_AUTHORIZATION_FAILED : check(topic, partition))
}

async function add(
  broker: Broker,
  claim: ProducerClaim,
  topics: readonly Topic[],
  clientTransactionVersion: number,
): Promise<PartitionVerdict> {
  const error = await broker.transactions.coordinator.addPartitions(claim, partitionsOf(topics), clientTransactionVersion)
  return () => error
}

function partitionsOf(topics: readonly Topic[]): TransactionPartitions {
  return new Map(topics.map(({ name, partitions }) => [name, new Set(partitions)]))
}

function results(topics: readonly Topic[], verdict: (topic: string, partition: number) => ErrorCode): TopicResult[] {
  return topics.map(({ name, partitions }) => ({
    name,
    resultsByPartition: partitions.map((p) => ({ partitionIndex: p, partitionErrorCode: verdict(name, p) })),
  }))
}
