// Transactional ids with what is open: what their coordinators know, beside what the leaders of their partitions know.
import type { ClusterClient } from '../cluster-client.ts'
import { askAll, type FromAll } from './ask.ts'
import type { TopicPartition } from './leaders.ts'
import { describeTransactionsOf, openTransactions, transactionsOf, type TransactionDescription } from './transactions.ts'

/** Until the markers are written. */
const OPEN = new Set(['Ongoing', 'PrepareCommit', 'PrepareAbort', 'PrepareEpochFence'])

export interface TransactionReport extends TransactionDescription {
  readonly coordinator: number
  /** How long the open transaction has been open; null when none is. */
  readonly openMs: number | null
}

export interface TransactionPosition extends TopicPartition {
  /** Where the transaction begins in the partition; null when it is not open there: nothing written, or its marker is. */
  readonly startOffset: number | null
}

/** Every transactional id; `silent` are the coordinators whose ids are missing. */
export async function reportTransactions(client: ClusterClient): Promise<FromAll<TransactionReport>> {
  const { answers, silent } = await askAll(client, async (coordinator) => {
    const ids = await transactionsOf(client, coordinator)
    const described = ids.length === 0 ? [] : await describeTransactionsOf(client, coordinator, ids)
    return described.map((t) => ({
      ...t,
      coordinator,
      openMs: OPEN.has(t.state) && t.startMs !== null ? Math.max(0, client.clock.wall() - t.startMs) : null,
    }))
  })
  return { answers: answers.flat().sort((a, b) => (a.transactionalId < b.transactionalId ? -1 : 1)), silent }
}

/** Where a transaction is open, as the leaders of its partitions see it. */
export async function positionsOf(
  client: ClusterClient,
  { producerId, partitions }: TransactionDescription,
): Promise<TransactionPosition[]> {
  const open = (await openTransactions(client, partitions)).filter((o) => o.producerId === producerId)
  return partitions.map(({ topic, partition }) => {
    const here = open.find((o) => o.topic === topic && o.partition === partition)
    return { topic, partition, startOffset: here?.startOffset ?? null }
  })
}
