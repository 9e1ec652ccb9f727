// The numbers that zstd's sequences are made of (RFC 8878, sections 3.1.1.3.2 and 3.1.1.5): codes, what they stand for, and the
// distributions that both sides know.
import { fseTable, type FseTable } from './zstd-fse.ts'

/** For each code its smallest value, and how many bits are added to that. */
export interface Codes {
  readonly base: readonly number[]
  readonly bits: readonly number[]
}

function codes(first: number, bits: readonly number[]): Codes {
  let next = first
  const base = bits.map((width) => {
    const value = next
    next += 2 ** width
    return value
  })
  return { base, bits }
}

const zeros = (count: number) => Array.from({ length: count }, () => 0)

export const LITERAL_LENGTHS = codes(0, [...zeros(16), 1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16])
export const MATCH_LENGTHS = codes(3, [...zeros(32), 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16])

export const LITERAL_LENGTH_ACCURACY = 9
export const MATCH_LENGTH_ACCURACY = 9
export const OFFSET_ACCURACY = 8
/** Larger offsets reach further back than any output that we allow. */
export const MAX_OFFSET_CODE = 31

export interface PredefinedTables {
  readonly literalLength: FseTable
  readonly matchLength: FseTable
  readonly offset: FseTable
}

export function predefinedTables(): PredefinedTables {
  return {
    literalLength: fseTable(
      [4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1],
      6,
    ),
    matchLength: fseTable(
      [
        1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
        1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1,
      ],
      6,
    ),
    offset: fseTable([1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1], 5),
  }
}
