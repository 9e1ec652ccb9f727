// Judges what producers are told against the markers that partitions get. It knows requests, answers and markers, and nothing else.
import { Errors } from '@faultline/protocol'
import type { TransactionEnd } from '../src/runtime/ports.ts'
import type { MarkerResult } from '../src/transaction/config.ts'
import type { Producer } from './transaction-support.ts'

/** What one producer believes to be one transaction, with the partitions that it wrote to. */
export class ClientTransaction {
  readonly outcomes = new Map<string, boolean>()
  /** What it was told. */
  committed: boolean | undefined
  readonly by: Producer

  constructor(by: Producer) {
    this.by = by
  }
}

interface Owner extends Producer {
  readonly actor: object
  readonly at: number
}

/** An AddPartitionsToTxn that may have begun a transaction. */
export interface Attempt {
  answeredAt: number
}

interface Ending {
  readonly committed: boolean
  readonly producerEpoch: number
}

/** One transactional id. */
class Id {
  readonly owners: Owner[] = []
  /** Producer ids in the order in which they were first heard of. */
  readonly producerIds: number[] = []
  readonly attempts = new Set<Attempt>()
  ending: Ending | undefined

  isNewer(a: Producer, b: Producer): boolean {
    if (a.producerId === b.producerId) return a.producerEpoch > b.producerEpoch
    return this.producerIds.indexOf(a.producerId) > this.producerIds.indexOf(b.producerId)
  }
}

/** A partition's leader, as far as markers and first batches matter to it. */
class Leader {
  readonly epochs = new Map<number, number>()
  readonly coordinatorEpochs = new Map<number, number>()
  readonly open = new Map<number, ClientTransaction>()
}

export class TransactionChecker {
  readonly violations: string[] = []
  readonly #ids = new Map<string, Id>()
  readonly #leaders = new Map<string, Leader>()
  /** Which id a producer id belongs to. */
  readonly #idOf = new Map<number, Id>()
  #at = 0

  /** Order of what happens. */
  get now(): number {
    return ++this.#at
  }

  /** InitProducerId, or an EndTxn that gives the next epoch, was answered. `actor` as undefined is for the latter. */
  owns(transactionalId: string, { producerId, producerEpoch }: Producer, actor: object | undefined, isRetry: boolean): void {
    const id = this.#id(transactionalId)
    const other = this.#idOf.get(producerId)
    if (other && other !== id) this.violations.push(`producer id ${producerId} was given to two transactional ids`)
    this.#idOf.set(producerId, id)
    if (!id.producerIds.includes(producerId)) id.producerIds.push(producerId)
    if (!actor) return
    const same = id.owners.find((o) => o.producerId === producerId && o.producerEpoch === producerEpoch)
    if (same && (same.actor !== actor || !isRetry))
      this.violations.push(`two producers own ${transactionalId} as ${producerId}/${producerEpoch}`)
    id.owners.push({ producerId, producerEpoch, actor, at: this.now })
  }

  /** Something that only the owner may do succeeded; it was asked for at `sentAt`. */
  acted(what: string, transactionalId: string, by: Producer, sentAt: number): void {
    const id = this.#id(transactionalId)
    const owner = id.owners.find((o) => o.at < sentAt && id.isNewer(o, by))
    if (owner)
      this.violations.push(
        `${what} of ${transactionalId} by ${by.producerId}/${by.producerEpoch} after ${owner.producerId}/${owner.producerEpoch} owned it`,
      )
  }

  adding(transactionalId: string): Attempt {
    const attempt = { answeredAt: Number.POSITIVE_INFINITY }
    this.#id(transactionalId).attempts.add(attempt)
    return attempt
  }

  /** `refused`: for certain nothing began. */
  added(transactionalId: string, attempt: Attempt, refused: boolean): void {
    attempt.answeredAt = this.now
    if (refused) this.#id(transactionalId).attempts.delete(attempt)
  }

  /** The first batch of the transaction reaches the partition, if nobody newer has been there. */
  writes(transaction: ClientTransaction, to: string): boolean {
    const leader = this.#leader(to)
    const { producerId, producerEpoch } = transaction.by
    if ((leader.epochs.get(producerId) ?? -1) > producerEpoch) return false
    leader.epochs.set(producerId, producerEpoch)
    leader.open.set(producerId, transaction)
    return true
  }

  ended(transactionalId: string, transaction: ClientTransaction, committed: boolean, sentAt: number, bumps: boolean): void {
    const id = this.#id(transactionalId)
    for (const attempt of id.attempts) if (attempt.answeredAt < sentAt) id.attempts.delete(attempt)
    transaction.committed = committed
    if (id.attempts.size === 0) id.ending = { committed, producerEpoch: transaction.by.producerEpoch + (bumps ? 1 : 0) }
    for (const [to, outcome] of transaction.outcomes) this.#compare(transaction, to, outcome)
  }

  #compare({ by, committed }: ClientTransaction, to: string, outcome: boolean): void {
    if (committed !== undefined && committed !== outcome)
      this.violations.push(
        `${by.producerId}/${by.producerEpoch} was told ${committed ? 'commit' : 'abort'}, and ${to} has the other`,
      )
  }

  /** A marker reaches a partition; what that answers. */
  marker(end: TransactionEnd, to: string): MarkerResult {
    const { producerId, producerEpoch, committed, coordinatorEpoch } = end
    const leader = this.#leader(to)
    if ((leader.epochs.get(producerId) ?? -1) > producerEpoch) return Errors.INVALID_PRODUCER_EPOCH
    if ((leader.coordinatorEpochs.get(producerId) ?? -1) > coordinatorEpoch) return Errors.TRANSACTION_COORDINATOR_FENCED
    this.#checkEnding(end, to)
    const open = leader.open.get(producerId)
    if (open && end.transactionVersion >= 2 && open.by.producerEpoch >= producerEpoch)
      this.violations.push(`${to} got a marker of ${producerId}/${producerEpoch}, which is the transaction's own epoch`)
    leader.epochs.set(producerId, producerEpoch)
    leader.coordinatorEpochs.set(producerId, coordinatorEpoch)
    leader.open.delete(producerId)
    if (open) {
      open.outcomes.set(to, committed)
      this.#compare(open, to, committed)
    }
    return Errors.NONE
  }

  /** All markers between two beginnings are alike. */
  #checkEnding({ producerId, producerEpoch, committed }: TransactionEnd, to: string): void {
    const id = this.#idOf.get(producerId)
    if (!id) return
    const { ending } = id
    id.ending = { committed, producerEpoch }
    if (!ending || (ending.committed === committed && ending.producerEpoch === producerEpoch)) return
    // A coordinator may end what nobody began any more; but then nothing was decided, and the epoch has moved on.
    if (id.attempts.size > 0) return id.attempts.clear()
    const kind = (c: boolean) => (c ? 'commit' : 'abort')
    this.violations.push(
      `${to} got ${kind(committed)} ${producerId}/${producerEpoch} in a transaction of ${kind(ending.committed)} ${ending.producerEpoch}`,
    )
  }

  /** When everything has had time to end, nothing may be open. */
  finish(): void {
    for (const [to, leader] of this.#leaders)
      for (const [producerId, { by }] of leader.open)
        this.violations.push(`a transaction of ${producerId}/${by.producerEpoch} never ends on ${to}`)
  }

  #id(transactionalId: string): Id {
    let id = this.#ids.get(transactionalId)
    if (!id) this.#ids.set(transactionalId, (id = new Id()))
    return id
  }

  #leader(to: string): Leader {
    let leader = this.#leaders.get(to)
    if (!leader) this.#leaders.set(to, (leader = new Leader()))
    return leader
  }
}
