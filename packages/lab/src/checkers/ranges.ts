// Which offsets of a partition clients were given to read, by ranges that may overlap.
import type { GivenRecords } from '../history/history.ts'
import { groupBy } from './facts.ts'

interface Range {
  readonly from: number
  readonly to: number
}

export class Ranges {
  /** By partition, "t-0": apart from each other, in order. */
  readonly #ranges: ReadonlyMap<string, readonly Range[]>

  constructor(given: readonly GivenRecords[]) {
    const of = groupBy(given, (g) => `${g.topic}-${g.partition}`)
    this.#ranges = new Map([...of].map(([at, ranges]) => [at, joined(ranges)]))
  }

  has(at: string, offset: number): boolean {
    const ranges = this.#ranges.get(at) ?? []
    let [low, high] = [0, ranges.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (ranges[middle]!.to <= offset) low = middle + 1
      else high = middle
    }
    return low < ranges.length && ranges[low]!.from <= offset
  }
}

function joined(ranges: readonly GivenRecords[]): Range[] {
  const found: { from: number; to: number }[] = []
  for (const { from, to } of [...ranges].sort((a, b) => a.from - b.from)) {
    const last = found.at(-1)
    if (last && from <= last.to) last.to = Math.max(last.to, to)
    else found.push({ from, to })
  }
  return found
}
