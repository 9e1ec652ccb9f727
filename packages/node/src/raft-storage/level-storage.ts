// The Raft log on disk: a LevelDB database with a key for the hard state, one for the snapshot and one for each entry.
import { join } from 'node:path'
import { assert, DiskError, Refusal } from '@faultline/base'
import {
  type Batch,
  type Entry,
  type HardState,
  RaftStorageCorruption,
  type RaftStorage,
  type Snapshot,
  type Survived,
} from '@faultline/raft'
import { Level } from 'level'
import { decodeEntry, decodeSnapshot, decodeState, encodeEntry, encodeSnapshot, encodeState } from './records.ts'
import type { Underneath } from './underneath.ts'
import { Witness } from './witness.ts'

type Database = Level<string, Uint8Array>
type Operation = { type: 'put'; key: string; value: Uint8Array } | { type: 'del'; key: string }

const FORMAT = 'format'
const FORMAT_NOW = 'faultline raft log 1'
const STATE = 'state'
const SNAPSHOT = 'snapshot'
/** LevelDB leaves files alone whose names it does not know. */
const WITNESS = 'WITNESS'
const ENTRY = 'entry/'
const AFTER_ENTRIES = 'entry0'
/** Digits that hold every safe integer, so that the order of keys is the order of entries. */
const DIGITS = 16

const entryKey = (index: number): string => ENTRY + String(index).padStart(DIGITS, '0')

interface Waiting {
  readonly batch: Batch
  readonly done: (error?: Error) => void
}

export class LevelStorage implements RaftStorage {
  readonly #path: string
  readonly #underneath: Underneath | undefined
  readonly #database: Database
  #witness: Witness | undefined
  #hardState: HardState = { term: 0, vote: -1, commit: 0 }
  #sequence = 0
  /** Terms of the log: that of the snapshot's last entry, then one for each entry. */
  #baseIndex = 0
  #terms: number[] = [0]
  #waiting: Waiting[] = []
  #writing: Promise<void> | undefined
  #failure: Error | undefined

  constructor(path: string, underneath?: Underneath) {
    this.#path = path
    this.#underneath = underneath
    this.#database = new Level<string, Uint8Array>(path, { valueEncoding: 'view' })
  }

  async load(): Promise<Survived> {
    await this.#open()
    try {
      await this.#checkFormat()
      this.#witness = new Witness(join(this.#path, WITNESS))
      return await this.#read(this.#witness.read())
    } catch (error) {
      await this.close()
      throw codeOf(error) === 'LEVEL_CORRUPTION' ? new RaftStorageCorruption(`${this.#path}: ${(error as Error).message}`) : error
    }
  }

  async #open(): Promise<void> {
    try {
      await this.#database.open()
    } catch (error) {
      const cause = (error as { cause?: Error }).cause ?? (error as Error)
      const code = codeOf(cause)
      if (code === 'LEVEL_LOCKED')
        throw new Refusal('FOLDER_IN_USE', `another process has ${this.#path} open`, 'Stop the other node or use another folder.')
      if (code === 'LEVEL_CORRUPTION') throw new RaftStorageCorruption(`${this.#path}: ${cause.message}`)
      throw new Refusal('FOLDER_UNUSABLE', `${this.#path}: ${cause.message}`, 'Check that the folder exists and may be written.')
    }
  }

  async #checkFormat(): Promise<void> {
    const written = await this.#database.get(FORMAT)
    if (written === undefined) {
      // A folder that holds a log but has lost this mark is treated as ours: the records are checked one by one.
      await this.#database.put(FORMAT, new TextEncoder().encode(FORMAT_NOW), { sync: true } as object)
      return
    }
    const found = new TextDecoder().decode(written)
    if (found !== FORMAT_NOW)
      throw new Refusal(
        'FOLDER_FOREIGN',
        `${this.#path} holds "${found}", expected "${FORMAT_NOW}"`,
        'Use the version that wrote it.',
      )
  }

  async #read(witnessed: number): Promise<Survived> {
    const record = await this.#readOne(STATE, decodeState)
    const sequence = record?.sequence ?? 0
    if (sequence < witnessed) throw this.#corruption(`${witnessed} writes were synced, ${sequence} are left`)
    const snapshot = await this.#readOne(SNAPSHOT, decodeSnapshot)
    const { entries, damage, strays } = await this.#readEntries(snapshot)
    const last = entries.at(-1) ?? snapshot
    const state = record?.hardState ?? { term: 0, vote: -1, commit: 0 }
    if (!record && last) throw this.#corruption('the record of term and vote is gone, but there is a log')
    if (state.commit > (last?.index ?? 0))
      throw this.#corruption(`${damage ?? `the log ends at ${last?.index ?? 0}`}, committed up to ${state.commit}`)
    if (last && last.term > state.term)
      throw this.#corruption(`the log has term ${last.term}, the recorded term is ${state.term}`)
    if (strays.length > 0) await this.#database.batch(strays.map((key) => ({ type: 'del', key })))
    this.#hardState = state
    this.#sequence = sequence
    this.#baseIndex = snapshot?.index ?? 0
    this.#terms = [snapshot?.term ?? 0, ...entries.map((entry) => entry.term)]
    return { hardState: { ...state }, snapshot, entries }
  }

  async #readOne<T>(key: string, decode: (record: Uint8Array) => T | undefined): Promise<T | undefined> {
    const record = await this.#database.get(key)
    if (record === undefined) return undefined
    const value = decode(record)
    if (value === undefined) throw this.#corruption(`the record "${key}" fails its checksum`)
    return value
  }

  /** The unbroken run of sound entries after the snapshot; whatever else is found is to be removed. */
  async #readEntries(
    snapshot: Snapshot | undefined,
  ): Promise<{ entries: Entry[]; damage: string | undefined; strays: string[] }> {
    const entries: Entry[] = []
    const strays: string[] = []
    const first = entryKey((snapshot?.index ?? 0) + 1)
    let damage: string | undefined
    for await (const [key, value] of this.#database.iterator({ gte: ENTRY, lt: AFTER_ENTRIES })) {
      if (key < first) {
        strays.push(key)
        continue
      }
      damage ??= this.#take(entries, snapshot, key, value)
      if (damage !== undefined) strays.push(key)
    }
    return { entries, damage, strays }
  }

  /** Adds the entry if it continues the log; otherwise tells what is wrong. */
  #take(entries: Entry[], snapshot: Snapshot | undefined, key: string, value: Uint8Array): string | undefined {
    const before = entries.at(-1) ?? snapshot ?? { index: 0, term: 0 }
    const index = before.index + 1
    if (key !== entryKey(index)) return `entry ${index} is missing`
    const record = decodeEntry(value, index)
    if (!record) return `entry ${index} fails its checksum`
    if (record.prevTerm !== before.term) return `entry ${index} follows one of term ${record.prevTerm}, found term ${before.term}`
    entries.push(record.entry)
    return undefined
  }

  #corruption(what: string): RaftStorageCorruption {
    return new RaftStorageCorruption(`${this.#path}: ${what}`)
  }

  persist(batch: Batch, done: (error?: Error) => void): void {
    this.#waiting.push({ batch, done })
    this.#writing ??= this.#writeAll()
  }

  /** While one write is being synced the next ones gather, and go together in the order in which they came. */
  async #writeAll(): Promise<void> {
    // The turn ends first, so that all of its batches share a sync.
    await undefined
    while (this.#waiting.length > 0) {
      const together = this.#waiting
      this.#waiting = []
      const error = this.#failure ?? (await this.#write(together))
      for (const { done } of together) done(error)
    }
    this.#writing = undefined
  }

  async #write(together: readonly Waiting[]): Promise<Error | undefined> {
    const operations: Operation[] = []
    for (const { batch } of together) this.#translate(batch, operations)
    // In every write, so that losing one in the middle of LevelDB's own log cannot bring back an older vote.
    const sequence = ++this.#sequence
    operations.push({ type: 'put', key: STATE, value: encodeState({ hardState: this.#hardState, sequence }) })
    const written = this.#underneath?.begin()
    try {
      await this.#database.batch(operations, { sync: true } as object)
      written?.()
      this.#witness?.write(sequence)
      return undefined
    } catch (error) {
      // Never retried: after a failed sync the system may claim that pages are clean which are not.
      const { message } = error as Error
      this.#failure = new DiskError(/no space left/i.test(message) ? 'ENOSPC' : 'EIO', this.#path, message)
      return this.#failure
    }
  }

  #translate({ truncateFrom, snapshot, entries, hardState }: Batch, into: Operation[]): void {
    if (truncateFrom !== undefined) this.#truncate(truncateFrom, into)
    if (snapshot) this.#replaceByState(snapshot, into)
    for (const entry of entries) {
      const prevTerm = this.#terms.at(-1)!
      assert(entry.index === this.#lastIndex + 1, `entry ${entry.index} written after ${this.#lastIndex}`)
      this.#terms.push(entry.term)
      into.push({ type: 'put', key: entryKey(entry.index), value: encodeEntry(entry, prevTerm) })
    }
    if (hardState) this.#hardState = { ...hardState }
  }

  get #lastIndex(): number {
    return this.#baseIndex + this.#terms.length - 1
  }

  #truncate(from: number, into: Operation[]): void {
    const keep = Math.max(from, this.#baseIndex + 1)
    for (let index = keep; index <= this.#lastIndex; index++) into.push({ type: 'del', key: entryKey(index) })
    this.#terms.length = keep - this.#baseIndex
  }

  #replaceByState(snapshot: Snapshot, into: Operation[]): void {
    into.push({ type: 'put', key: SNAPSHOT, value: encodeSnapshot(snapshot) })
    const last = Math.min(snapshot.index, this.#lastIndex)
    for (let index = this.#baseIndex + 1; index <= last; index++) into.push({ type: 'del', key: entryKey(index) })
    this.#terms = [snapshot.term, ...this.#terms.slice(snapshot.index + 1 - this.#baseIndex)]
    this.#baseIndex = snapshot.index
  }

  async close(): Promise<void> {
    await this.#writing
    await this.#database.close()
    this.#witness?.close()
    this.#witness = undefined
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as { code?: string }).code
}
