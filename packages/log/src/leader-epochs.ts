// At which offset each leader epoch began (KIP-101): what replicas compare to find where their logs part. Kept in the file
// leader-epoch-checkpoint, which is written when an epoch gets its first record, and made durable by the log's flush. That is enough:
// epochs of records above the recovery point are found again when those are scanned, and an epoch without records decides nothing
// after a restart.
import type { Disk } from '@faultline/base'
import { parseCount, readCheckpoint, writeCheckpoint } from './checkpoint-file.ts'

export const LEADER_EPOCH_FILE = 'leader-epoch-checkpoint'
export const UNDEFINED_EPOCH = -1
export const UNDEFINED_OFFSET = -1

export interface EpochStart {
  readonly epoch: number
  readonly startOffset: number
}

export interface EpochEnd {
  readonly epoch: number
  readonly endOffset: number
}

export class LeaderEpochs {
  readonly #disk: Disk
  readonly #path: string
  /** Both numbers ascend. */
  #entries: EpochStart[] = []
  #saved = true
  #synced = true

  constructor(disk: Disk, directory: string) {
    this.#disk = disk
    this.#path = `${directory}/${LEADER_EPOCH_FILE}`
  }

  get entries(): readonly EpochStart[] {
    return this.#entries
  }

  get latest(): EpochStart | undefined {
    return this.#entries.at(-1)
  }

  /**
   * False when the file is absent or damaged: the entries must be found from the records. After an unclean stop nobody knows whether what
   * is read is also on the disk.
   */
  load(cleanShutdown: boolean): boolean {
    this.#synced = cleanShutdown
    const lines = readCheckpoint(this.#disk, this.#path, 2)
    if (lines === undefined || lines === 'damaged') return false
    const entries = lines.map(([epoch, start]) => ({ epoch: parseCount(epoch!), startOffset: parseCount(start!) }))
    const ascending = entries.every(({ epoch, startOffset }, i) => {
      const before = entries[i - 1] ?? { epoch: -1, startOffset: -1 }
      return epoch > before.epoch && startOffset > before.startOffset
    })
    if (ascending) this.#entries = entries
    return ascending
  }

  /** `epoch` begins at `startOffset`. Entries that contradict it are dropped (KAFKA-7415): those not below in both numbers. */
  assign(epoch: number, startOffset: number): void {
    if (epoch < 0) return
    const latest = this.latest
    if (latest !== undefined && latest.epoch === epoch && startOffset >= latest.startOffset) return
    this.#replace([...this.#entries.filter((e) => e.epoch < epoch && e.startOffset < startOffset), { epoch, startOffset }])
  }

  /** The last offset + 1 of the largest epoch ≤ `epoch`; (−1, −1) when this log cannot tell. */
  endOffsetFor(epoch: number, logEndOffset: number): EpochEnd {
    const latest = this.latest
    if (epoch < 0 || latest === undefined || epoch > latest.epoch) return { epoch: UNDEFINED_EPOCH, endOffset: UNDEFINED_OFFSET }
    if (epoch === latest.epoch) return { epoch, endOffset: logEndOffset }
    const next = this.#entries.findIndex((entry) => entry.epoch > epoch)
    // Below the first known epoch, all that is known is that its records ended before that one began.
    const floor = this.#entries[next - 1]?.epoch ?? epoch
    return { epoch: floor, endOffset: this.#entries[next]!.startOffset }
  }

  /** The epoch that the record at `offset` was written in, as far as known. */
  epochOf(offset: number): number | undefined {
    return this.#entries.findLast((entry) => entry.startOffset <= offset)?.epoch
  }

  /** The log now ends at `offset`. */
  truncateFromEnd(offset: number): void {
    if (this.latest !== undefined && this.latest.startOffset >= offset)
      this.#replace(this.#entries.filter((entry) => entry.startOffset < offset))
  }

  /** The log now starts at `offset`: the epoch of that offset starts there. */
  truncateFromStart(offset: number): void {
    const first = this.#entries.findLastIndex((entry) => entry.startOffset <= offset)
    if (first === -1 || (first === 0 && this.#entries[0]!.startOffset === offset)) return
    const { epoch } = this.#entries[first]!
    this.#replace([{ epoch, startOffset: offset }, ...this.#entries.slice(first + 1)])
  }

  clear(): void {
    if (this.#entries.length > 0) this.#replace([])
  }

  /**
   * What a process crash leaves. A power loss may leave any version that was saved, so none may lack epochs of records that will not be
   * scanned again.
   */
  save(): void {
    if (!this.#saved) this.#write(false)
  }

  /** Durable when its name is, too. True when there was something to do. */
  sync(): boolean {
    if (this.#synced) return false
    this.#write(true)
    return true
  }

  #replace(entries: EpochStart[]): void {
    this.#entries = entries
    this.#saved = false
    this.#synced = false
  }

  #write(sync: boolean): void {
    const lines = this.#entries.map(({ epoch, startOffset }) => `${epoch} ${startOffset}`)
    writeCheckpoint(this.#disk, this.#path, lines, sync)
    this.#saved = true
    this.#synced = sync
  }
}
