// Producers and consumers that commit positions of one group, in transactions and without, while the group moves on, coordinators fail
// over and the log refuses. What is read is held against what the log says by the plainest reading of it.
import { Prng } from '@faultline/base'
import { decodeGroupRecordKey, decodeOffsetCommitValue, Errors } from '@faultline/protocol'
import type { GroupCoordinator } from '../src/group/group-coordinator.ts'
import type { LoggedEnd, LoggedRecord } from '../src/runtime/ports.ts'
import { given, settle, TestLog, World } from './support.ts'
import type { Producer } from './transaction-support.ts'
import { endTransaction, txnCommit } from './txn-support.ts'

const PARTITIONS = 3
const MEMBER = 'm'

/** What the log says of a partition: its position, and which producers may still change it. */
interface Reading {
  readonly offset: number
  readonly open: ReadonlySet<number>
}

interface Position {
  readonly at: number
  readonly offset: number
}

/** Of all positions that count, the one that was written last does; a tombstone outside of transactions ends all before it. */
export function readLog(entries: readonly (LoggedRecord | LoggedEnd)[], partition: number): Reading {
  let counts: Position = { at: -1, offset: -1 }
  const open = new Map<number, Position>()
  const settleTo = (position: Position) => {
    if (position.at > counts.at) counts = position
  }
  for (const [at, entry] of entries.entries()) {
    if ('committed' in entry) {
      const position = open.get(entry.producerId)
      if (position && entry.committed) settleTo(position)
      open.delete(entry.producerId)
      continue
    }
    const { type, key } = decodeGroupRecordKey(entry.key) as { type: string; key: { partition: number } }
    if (type !== 'OffsetCommit' || key.partition !== partition) continue
    if (entry.value === null) {
      counts = { at, offset: -1 }
      open.clear()
    } else if (entry.producerId >= 0) open.set(entry.producerId, { at, offset: decodeOffsetCommitValue(entry.value).offset })
    else settleTo({ at, offset: decodeOffsetCommitValue(entry.value).offset })
  }
  return { offset: counts.offset, open: new Set(open.keys()) }
}

export interface TxnOffsetsWorkloadOptions {
  readonly seed: number
  readonly steps: number
  readonly Coordinator?: typeof GroupCoordinator
  readonly afterStep?: (world: World) => Promise<void>
}

export class TxnOffsetsWorkload {
  readonly world: World
  readonly violations: string[] = []
  readonly counts: Record<string, number> = {}
  readonly #o: TxnOffsetsWorkloadOptions
  readonly #random: Prng
  readonly #producers: readonly Producer[] = [1, 2, 3].map((producerId) => ({ producerId, producerEpoch: 0 }))
  #generation = 5
  #nextOffset = 1

  constructor(options: TxnOffsetsWorkloadOptions) {
    this.#o = options
    this.#random = new Prng(options.seed)
    const member = given([{ id: MEMBER, topics: ['payments'], sessionMs: 1_800_000 }])
    this.world = new World([member], {}, options.Coordinator)
  }

  async run(): Promise<this> {
    for (let i = 0; i < this.#o.steps && this.violations.length === 0; i++) {
      this.#step()
      await settle()
      await this.#checkReads()
      await this.#o.afterStep?.(this.world)
    }
    return this
  }

  #count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1
  }

  #step(): void {
    const producer = this.#producers[this.#random.below(this.#producers.length)]!
    const partition = this.#random.below(PARTITIONS)
    const roll = this.#random.below(100)
    if (roll < 40) return this.#commit(producer, partition, this.#generation)
    if (roll < 46) return this.#commit(producer, partition, this.#generation - 1 - this.#random.below(2))
    if (roll < 62) return this.#end(producer)
    if (roll < 76) return this.#commitPlain(partition)
    if (roll < 80) return this.#delete(partition)
    if (roll < 86) return this.#rebalance()
    if (roll < 90) return this.world.log.disturb(this.#random)
    if (roll < 95) return this.world.log.heal()
    return this.#failOver()
  }

  #commit(producer: Producer, partition: number, generation: number): void {
    const who = { memberId: MEMBER, generationIdOrMemberEpoch: generation }
    const known = this.#generation
    void txnCommit(this.world, producer, this.#nextOffset++, { partition, ...who }).then((error) => {
      this.#count(`commit ${error}`)
      if (error === Errors.NONE && generation < known)
        this.violations.push(`generation ${generation} committed in a transaction after ${known} was known`)
    })
  }

  #commitPlain(partition: number): void {
    const position = {
      partitionIndex: partition,
      committedOffset: this.#nextOffset++,
      committedLeaderEpoch: -1,
      committedMetadata: '',
    }
    const topics = [{ name: 'orders', partitions: [position] }]
    void this.world.commit(MEMBER, this.#generation, 0, { topics }).then((answer) => {
      this.#count(`plain ${answer.topics![0]!.partitions![0]!.errorCode}`)
    })
  }

  #end(producer: Producer): void {
    const committed = this.#random.below(3) > 0
    void endTransaction(this.world, producer, committed).then((error) => this.#count(`end ${error}`))
  }

  #delete(partitionIndex: number): void {
    const topics = [{ name: 'orders', partitions: [{ partitionIndex }] }]
    void this.world.coordinator
      .deleteOffsets({ groupId: 'g', topics })
      .then((answer) => this.#count(`delete ${answer.errorCode}`))
  }

  /** The only member begins a new generation. */
  #rebalance(): void {
    void this.world.join(MEMBER, { sessionTimeoutMs: 1_800_000 }).then(async ({ errorCode, generationId }) => {
      this.#count(`join ${errorCode}`)
      if (errorCode !== Errors.NONE) return
      const synced = await this.world.sync(MEMBER, generationId!, { [MEMBER]: '' })
      if (synced.errorCode === Errors.NONE) this.#generation = generationId!
    })
  }

  #failOver(): void {
    const { log } = this.world
    const kept = log.highWatermark + this.#random.below(log.endOffset - log.highWatermark + 1)
    this.#count(kept < log.endOffset ? 'records lost' : 'failover')
    this.world.elect(new TestLog(log.entries.slice(0, kept)))
    this.world.clock.advance(0)
  }

  /** What the log says is what is read, by those who may read what can change and by those who may not. */
  async #checkReads(): Promise<void> {
    const { log } = this.world
    if (log.highWatermark < log.endOffset) return
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const { offset, open } = readLog(log.entries, partition)
      const unstable = open.size > 0 ? `error ${Errors.UNSTABLE_OFFSET_COMMIT}` : offset
      const [any, stable] = [await this.#read(partition, false), await this.#read(partition, true)]
      if (any !== offset || stable !== unstable)
        this.violations.push(`partition ${partition} is at ${offset}, stable ${unstable}; read were ${any} and ${stable}`)
    }
  }

  async #read(partition: number, requireStable: boolean): Promise<number | string> {
    const topics = [{ name: 'orders', topicId: '', partitionIndexes: [partition] }]
    const groups = [{ groupId: 'g', memberId: null, memberEpoch: -1, topics }]
    const request = { groupId: '', topics: null, groups, requireStable }
    const answer = await this.world.coordinator.fetchOffsets(request, { version: 9, clientId: 'c', clientHost: '/h' })
    const { errorCode, committedOffset } = answer.groups![0]!.topics![0]!.partitions![0]!
    return errorCode === Errors.NONE ? committedOffset! : `error ${errorCode}`
  }
}
