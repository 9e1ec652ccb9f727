// Transactions, as the edge has them: from the first request that belongs to one to its end. What was asked and not answered may have been done.
import { type EdgeRequest, endOf, sameIn, wasHeard } from './edge-request.ts'
import type { History, Transaction } from './history.ts'

const OPENING: readonly string[] = ['AddPartitionsToTxn', 'AddOffsetsToTxn', 'TxnOffsetCommit']

export class EdgeTransactions {
  readonly #history: History
  /** By transactional id, then by producer id and epoch. */
  readonly #open = new Map<string, Map<string, Transaction>>()

  constructor(history: History) {
    this.#history = history
  }

  add(request: EdgeRequest): void {
    const { api } = request
    const { transactionalId, producer, epoch } = request.request ?? {}
    if (typeof transactionalId !== 'string') return
    // Whoever comes anew has given up what was open.
    if (api === 'InitProducerId') this.#closeAll(transactionalId)
    if (producer === undefined || epoch === undefined) return
    if (OPENING.includes(api)) {
      const transaction = this.openOf(request, transactionalId, producer, epoch)
      if (api === 'TxnOffsetCommit') addPositions(transaction, request)
    }
    if (api === 'EndTxn') this.#end(request, transactionalId, `${producer}.${epoch}`)
  }

  /** The one that this is part of, which it begins if it is the first. */
  openOf({ who, t }: EdgeRequest, transactionalId: string, producer: number, epoch: number): Transaction {
    const open = this.#open.get(transactionalId) ?? new Map<string, Transaction>()
    this.#open.set(transactionalId, open)
    const key = `${producer}.${epoch}`
    const transaction = open.get(key) ?? this.#history.beginTransaction(`${who} ${transactionalId}`, t)
    open.set(key, transaction)
    return transaction
  }

  /** Nobody ends these any more. */
  end(): void {
    for (const transactionalId of this.#open.keys()) this.#closeAll(transactionalId)
  }

  #end(request: EdgeRequest, transactionalId: string, key: string): void {
    const open = this.#open.get(transactionalId)
    const transaction = open?.get(key)
    if (!transaction) return
    const isDone = wasHeard(request) && request.answer!.error === undefined
    if (request.request!.committed === true) {
      transaction.committing ??= request.t
      if (isDone) transaction.outcome = 'ok'
    } else if (transaction.committing === null) transaction.outcome = 'fail'
    transaction.ended = endOf(request)
    if (isDone) open!.delete(key)
  }

  #closeAll(transactionalId: string): void {
    for (const transaction of this.#open.get(transactionalId)?.values() ?? [])
      if (transaction.committing === null) transaction.outcome = 'fail'
    this.#open.delete(transactionalId)
  }
}

function addPositions(transaction: Transaction, { request, answer }: EdgeRequest): void {
  const added = (request!.partitions ?? []).filter((p) => sameIn(answer?.partitions, p)?.error === undefined)
  const isAdded = (topic: string, partition: number) => added.some((p) => p.topic === topic && p.partition === partition)
  transaction.group = request!.group ?? null
  transaction.positions = [
    ...transaction.positions.filter((p) => !isAdded(p.topic, p.partition)),
    ...added.map(({ topic, partition, offset }) => ({ topic, partition, offset: offset! })),
  ]
}
