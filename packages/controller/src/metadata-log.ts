// The metadata log as the controller writes it. The leader replays a record as soon as Raft has taken it, so that the next plan sees it;
// answers wait for the commit. Who loses leadership forgets what was not committed by building the image again from the log.
import { assert } from '@faultline/base'
import { Errors, type MetadataRecord } from '@faultline/protocol'
import type { Entry, RaftDriver, Snapshot } from '@faultline/raft'
import { ClusterImage } from './image/cluster-image.ts'
import { decodeEntry, encodeEntry } from './image/entry-codec.ts'
import type { PartitionState } from './image/partition-state.ts'

/** This node does not lead the quorum, or lost leadership before the commit: whether the records survive is open. */
export class NotController extends Error {
  override readonly name = 'NotController'
  readonly error = Errors.NOT_CONTROLLER
}

interface Waiter {
  readonly index: number
  resolve(): void
  reject(error: Error): void
}

export interface MetadataLogListener {
  /** This node leads and has committed in its term: its image is the truth. */
  onActive(): void
  onInactive(): void
  /** On every controller, in order. */
  onCommitted(entries: readonly Entry[]): void
  /** On the active controller, at the moment of the append, after replay; `before`: what each record's partition was until then. */
  onAppended(records: readonly MetadataRecord[], before: readonly (PartitionState | undefined)[]): void
}

export class MetadataLog {
  #image = new ClusterImage()
  #raft: RaftDriver | undefined
  #leading = false
  #active = false
  #term = 0
  #committed = 0
  #bytesSinceSnapshot = 0
  readonly #waiters: Waiter[] = []
  readonly #listener: MetadataLogListener
  readonly #bytesBetweenSnapshots: number

  constructor(listener: MetadataLogListener, bytesBetweenSnapshots: number) {
    this.#listener = listener
    this.#bytesBetweenSnapshots = bytesBetweenSnapshots
  }

  /** The driver calls back into this log, and this log proposes to the driver: the owner ties the knot before starting it. */
  attach(raft: RaftDriver): void {
    this.#raft = raft
  }

  get image(): ClusterImage {
    return this.#image
  }

  get active(): boolean {
    return this.#active
  }

  get nextOffset(): number {
    return this.#driver.status().lastIndex + 1
  }

  /** Resolves when the records are committed. Rejects with NotController when this node cannot tell. */
  append(records: readonly MetadataRecord[]): Promise<void> {
    if (!this.#active) return Promise.reject(new NotController('not the active controller'))
    const before = records.map((record) => this.#partitionOf(record))
    const proposed = this.#driver.propose(encodeEntry(records))
    if (!proposed) return Promise.reject(new NotController('not the leader of the quorum'))
    if (this.#image.offset < proposed.index) this.#image.replayEntry(proposed.index, proposed.term, records)
    this.#listener.onAppended(records, before)
    return this.#committedAt(proposed.index)
  }

  #partitionOf({ type, value }: MetadataRecord): PartitionState | undefined {
    return type === 'PartitionChangeRecord' ? this.#image.partition(value.topicId, value.partitionId) : undefined
  }

  /** Resolves when everything that the image holds now is committed: an answer from it cannot be taken back. */
  settled(): Promise<void> {
    if (!this.#active) return Promise.reject(new NotController('not the active controller'))
    return this.#committedAt(this.#image.offset)
  }

  #committedAt(index: number): Promise<void> {
    if (index <= this.#committed) return Promise.resolve()
    return new Promise((resolve, reject) => this.#waiters.push({ index, resolve, reject }))
  }

  onCommitted(entries: readonly Entry[]): void {
    for (const entry of entries) {
      if (entry.index > this.#image.offset) this.#image.replayEntry(entry.index, entry.term, decodeEntry(entry.data))
      this.#committed = entry.index
      this.#bytesSinceSnapshot += entry.data.length
      if (this.#leading && !this.#active && entry.term === this.#term) this.#becomeActive()
    }
    while (this.#waiters.length > 0 && this.#waiters[0]!.index <= this.#committed) this.#waiters.shift()!.resolve()
    this.#listener.onCommitted(entries)
    this.#compactIfLarge()
  }

  onSnapshot(snapshot: Snapshot): void {
    assert(!this.#leading, 'a leader does not load a snapshot')
    this.#image = imageOf(snapshot)
    this.#committed = snapshot.index
    this.#bytesSinceSnapshot = 0
  }

  onRole(role: string, term: number): void {
    const leads = role === 'leader'
    this.#term = term
    if (leads && !this.#leading) this.#replayUncommitted()
    if (!leads && this.#leading) this.#stepDown()
    this.#leading = leads
  }

  #becomeActive(): void {
    this.#active = true
    this.#listener.onActive()
  }

  /** Entries of earlier terms in a leader's log will commit with its own first one. */
  #replayUncommitted(): void {
    for (const entry of this.#driver.entriesSinceSnapshot().entries) {
      if (entry.index > this.#image.offset) this.#image.replayEntry(entry.index, entry.term, decodeEntry(entry.data))
    }
  }

  #stepDown(): void {
    const wasActive = this.#active
    this.#active = false
    const { snapshot, entries } = this.#driver.entriesSinceSnapshot()
    this.#image = snapshot ? imageOf(snapshot) : new ClusterImage()
    for (const entry of entries) {
      if (entry.index > this.#image.offset && entry.index <= this.#committed) {
        this.#image.replayEntry(entry.index, entry.term, decodeEntry(entry.data))
      }
    }
    for (const waiter of this.#waiters.splice(0)) waiter.reject(new NotController('leadership was lost before the commit'))
    if (wasActive) this.#listener.onInactive()
  }

  #compactIfLarge(): void {
    if (this.#bytesSinceSnapshot < this.#bytesBetweenSnapshots || this.#image.offset !== this.#committed) return
    this.#bytesSinceSnapshot = 0
    this.#driver.compact(this.#committed, encodeEntry(this.#image.toRecords()))
  }

  get #driver(): RaftDriver {
    assert(this.#raft, 'the metadata log has no driver yet')
    return this.#raft
  }
}

function imageOf(snapshot: Snapshot): ClusterImage {
  const image = new ClusterImage()
  image.replayEntry(snapshot.index, snapshot.term, decodeEntry(snapshot.data))
  return image
}
