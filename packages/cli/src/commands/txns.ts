// faultline txns, txn.
import { Refusal } from '@faultline/base'
import { positionsOf, reportTransactions, type TransactionPosition, type TransactionReport } from '@faultline/client'
import { table } from '../output.ts'
import { look, type LookOptions, silence, stillSilent } from './look.ts'

const HEAD = ['TRANSACTIONAL ID', 'COORDINATOR', 'STATE', 'PRODUCER', 'EPOCH', 'OPEN']

export function txns(options: LookOptions): Promise<void> {
  return look(options, {
    ask: async (client) => {
      const { answers, silent } = await reportTransactions(client)
      return { transactions: answers, silent }
    },
    text: ({ transactions, silent }) => {
      if (transactions.length === 0 && silent.length === 0) return 'no transactional ids yet: a producer with one makes it'
      return table(HEAD, transactions.map(cells)) + silence(silent)
    },
  })
}

function cells(t: TransactionReport): (string | number)[] {
  return [t.transactionalId, `broker:${t.coordinator}`, t.state, t.producerId, t.producerEpoch, duration(t.openMs)]
}

function duration(ms: number | null): string {
  return ms === null ? '-' : `${(ms / 1000).toFixed(1)} s`
}

interface Detail extends TransactionReport {
  readonly partitions: readonly TransactionPosition[]
}

export function txn(transactionalId: string, options: LookOptions): Promise<void> {
  return look<Detail>(options, {
    ask: async (client) => {
      const { answers, silent } = await reportTransactions(client)
      const found = answers.find((t) => t.transactionalId === transactionalId)
      if (found) return { ...found, partitions: await positionsOf(client, found) }
      stillSilent(silent)
      throw unknownTransaction(
        transactionalId,
        answers.map((t) => t.transactionalId),
      )
    },
    text: (found) => {
      const started = found.startMs === null || found.openMs === null ? '-' : new Date(found.startMs).toISOString()
      const headline = table([...HEAD, 'STARTED', 'TIMEOUT'], [[...cells(found), started, `${found.timeoutMs / 1000} s`]])
      if (found.partitions.length === 0) return headline
      const rows = found.partitions.map((p) => [
        `${p.topic}-${p.partition}`,
        p.startOffset === null ? 'no' : 'yes',
        p.startOffset ?? '-',
      ])
      return `${headline}\n\n${table(['PARTITION', 'OPEN THERE', 'START OFFSET'], rows)}`
    },
  })
}

function unknownTransaction(transactionalId: string, others: readonly string[]): Refusal {
  const advice =
    others.length === 0 ? 'there are none yet: a producer with a transactional id makes one' : `there are: ${others.join(', ')}`
  return new Refusal('UNKNOWN_TRANSACTION', `there is no transactional id ${transactionalId}`, advice)
}
