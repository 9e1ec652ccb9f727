// The values under which the Raft log is kept, each sealed with a CRC32C of its own: LevelDB skips damaged parts of its files without
// a word, and what it does return may have rotted.
import { crc32c } from '@node-rs/crc32'
import type { Entry, HardState, Snapshot } from '@faultline/raft'

const CRC = 4
const NUMBER = 8

/** An entry knows the term of the one before it. By the log matching property two logs that agree there agree in all before. */
export interface EntryRecord {
  readonly entry: Entry
  readonly prevTerm: number
}

function seal(numbers: readonly number[], data: Uint8Array): Uint8Array {
  const record = new Uint8Array(CRC + numbers.length * NUMBER + data.length)
  const view = new DataView(record.buffer)
  numbers.forEach((value, i) => view.setFloat64(CRC + i * NUMBER, value))
  record.set(data, CRC + numbers.length * NUMBER)
  view.setUint32(0, crc32c(record.subarray(CRC)))
  return record
}

/** Undefined when the record is damaged. */
function unseal(record: Uint8Array, count: number): { readonly numbers: number[]; readonly data: Uint8Array } | undefined {
  const head = CRC + count * NUMBER
  if (record.length < head) return undefined
  const view = new DataView(record.buffer, record.byteOffset, record.length)
  if (view.getUint32(0) !== crc32c(record.subarray(CRC))) return undefined
  const numbers = Array.from({ length: count }, (_, i) => view.getFloat64(CRC + i * NUMBER))
  // A copy, and of the plain kind: `slice` of a Buffer is neither.
  return { numbers, data: new Uint8Array(record.subarray(head)) }
}

const NOTHING = new Uint8Array(0)

/** The hard state, and how many writes there have been. */
export interface StateRecord {
  readonly hardState: HardState
  readonly sequence: number
}

export function encodeState({ hardState: { term, vote, commit }, sequence }: StateRecord): Uint8Array {
  return seal([term, vote, commit, sequence], NOTHING)
}

export function decodeState(record: Uint8Array): StateRecord | undefined {
  const found = unseal(record, 4)
  if (!found || found.data.length > 0) return undefined
  const [term, vote, commit, sequence] = found.numbers as [number, number, number, number]
  return { hardState: { term, vote, commit }, sequence }
}

export function encodeSnapshot({ index, term, data }: Snapshot): Uint8Array {
  return seal([index, term], data)
}

export function decodeSnapshot(record: Uint8Array): Snapshot | undefined {
  const found = unseal(record, 2)
  if (!found) return undefined
  const [index, term] = found.numbers as [number, number]
  return { index, term, data: found.data }
}

export function encodeEntry({ index, term, data }: Entry, prevTerm: number): Uint8Array {
  return seal([index, term, prevTerm], data)
}

/** Also undefined when the record is sound but stands under another entry's key. */
export function decodeEntry(record: Uint8Array, index: number): EntryRecord | undefined {
  const found = unseal(record, 3)
  if (!found || found.numbers[0] !== index) return undefined
  const [, term, prevTerm] = found.numbers as [number, number, number]
  return { entry: { index, term, data: found.data }, prevTerm }
}
