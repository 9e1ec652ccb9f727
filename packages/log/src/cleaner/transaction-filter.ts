// What the cleaner knows of transactions: whose records were aborted and can all go, and which markers have nothing left to mark.
import type { RecordBatch } from '@faultline/protocol'
import type { AbortedTransaction } from '../transaction-index.ts'

export class TransactionFilter {
  readonly #aborted = new Map<number, AbortedTransaction[]>()
  /** Producers of whose open transaction a batch was seen. */
  readonly #seen = new Set<number>()

  constructor(aborted: readonly AbortedTransaction[]) {
    for (const transaction of aborted) {
      const list = this.#aborted.get(transaction.producerId)
      if (list === undefined) this.#aborted.set(transaction.producerId, [transaction])
      else list.push(transaction)
    }
  }

  isAborted(batch: RecordBatch): boolean {
    if (!batch.isTransactional || batch.isControl) return false
    const { baseOffset } = batch
    const list = this.#aborted.get(batch.producerId) ?? []
    return list.some(({ firstOffset, lastOffset }) => firstOffset <= baseOffset && baseOffset < lastOffset)
  }

  /** Batches come in the order of the log. */
  note(batch: RecordBatch): void {
    if (batch.isTransactional && !batch.isControl) this.#seen.add(batch.producerId)
  }

  /** Whether no batch of the transaction that this marker ends was seen. Ask once for each marker. */
  marksNothing(marker: RecordBatch): boolean {
    return !this.#seen.delete(marker.producerId)
  }
}
