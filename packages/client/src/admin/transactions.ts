// Transactions: which there are, what their coordinators know of them, and where they are open (KIP-664).
import { describeProducers, describeTransactions, Errors, listTransactions, needsMetadata } from '@faultline/protocol'
import type { ClusterClient } from '../cluster-client.ts'
import { ask, check } from './ask.ts'
import { askLeaders, type TopicPartition } from './leaders.ts'

export interface TransactionDescription {
  readonly transactionalId: string
  readonly state: string
  readonly producerId: number
  readonly producerEpoch: number
  readonly timeoutMs: number
  /** Of the last transaction, on the coordinator's wall clock; null when there was none. */
  readonly startMs: number | null
  readonly partitions: readonly TopicPartition[]
}

/** The transactional ids that one broker coordinates. */
export async function transactionsOf(client: ClusterClient, coordinator: number): Promise<string[]> {
  const reply = await ask(client.broker(coordinator), listTransactions, { stateFilters: [], producerIdFilters: [] })
  check(reply.errorCode, `broker:${coordinator} does not list its transactions`)
  return reply.transactionStates.map((t) => t.transactionalId)
}

/** Of one coordinator; an id that expired meanwhile is left out. */
export async function describeTransactionsOf(
  client: ClusterClient,
  coordinator: number,
  transactionalIds: readonly string[],
): Promise<TransactionDescription[]> {
  const reply = await ask(client.broker(coordinator), describeTransactions, { transactionalIds })
  return reply.transactionStates
    .filter((t) => t.errorCode !== Errors.TRANSACTIONAL_ID_NOT_FOUND)
    .map((t) => {
      check(t.errorCode, `transactional id ${t.transactionalId}`)
      return {
        transactionalId: t.transactionalId,
        state: t.transactionState,
        producerId: t.producerId,
        producerEpoch: t.producerEpoch,
        timeoutMs: t.transactionTimeoutMs,
        startMs: t.transactionStartTimeMs < 0 ? null : t.transactionStartTimeMs,
        partitions: t.topics.flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition }))),
      }
    })
}

export interface OpenTransaction extends TopicPartition {
  readonly producerId: number
  readonly producerEpoch: number
  readonly coordinatorEpoch: number
  readonly startOffset: number
}

/** What is open on these partitions, whoever's it is. */
export function openTransactions(client: ClusterClient, partitions: readonly TopicPartition[]): Promise<OpenTransaction[]> {
  return askLeaders(client, partitions, async (leader, topics) => {
    const wanted = topics.map((t) => ({ name: t.name, partitionIndexes: t.partitions }))
    const reply = await ask(leader, describeProducers, { topics: wanted })
    return reply.topics.flatMap(({ name, partitions: found }) =>
      found.flatMap(({ partitionIndex, errorCode, activeProducers }) => {
        if (needsMetadata(errorCode)) client.forget(name)
        if (errorCode !== Errors.NONE) return []
        return activeProducers
          .filter((p) => p.currentTxnStartOffset >= 0)
          .map(({ producerId, producerEpoch, coordinatorEpoch, currentTxnStartOffset }) => ({
            topic: name,
            partition: partitionIndex,
            producerId,
            producerEpoch,
            coordinatorEpoch,
            startOffset: currentTxnStartOffset,
          }))
      }),
    )
  })
}
