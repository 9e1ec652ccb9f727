// The segments of one log in offset order, never none: the last is the active one.
import { assert } from '@faultline/base'
import type { Segment } from './segment.ts'

export class Segments {
  #list: Segment[]

  constructor(list: Segment[]) {
    assert(list.length > 0, 'a log has a segment')
    this.#list = list
  }

  get all(): readonly Segment[] {
    return this.#list
  }

  get first(): Segment {
    return this.#list[0]!
  }

  get active(): Segment {
    return this.#list[this.#list.length - 1]!
  }

  get count(): number {
    return this.#list.length
  }

  get sizeBytes(): number {
    return this.#list.reduce((sum, segment) => sum + segment.size, 0)
  }

  /** Index of the segment that would hold `offset`: the last that begins at or before it, else the first. */
  indexOf(offset: number): number {
    const last = this.#list.length - 1
    if (offset >= this.#list[last]!.baseOffset) return last
    let low = 0
    let high = last
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if (this.#list[middle]!.baseOffset <= offset) low = middle
      else high = middle - 1
    }
    return low
  }

  /** From the one that would hold `offset` on. */
  from(offset: number): readonly Segment[] {
    return this.#list.slice(this.indexOf(offset))
  }

  push(segment: Segment): void {
    assert(segment.baseOffset > this.active.baseOffset, `segment ${segment.baseOffset} after ${this.active.baseOffset}`)
    this.#list.push(segment)
  }

  replaceAll(segment: Segment): void {
    this.#list = [segment]
  }

  dropFirst(): void {
    this.#list.shift()
    assert(this.#list.length > 0, 'a log has a segment')
  }

  dropLast(): void {
    this.#list.pop()
    assert(this.#list.length > 0, 'a log has a segment')
  }

  /** Puts `segment` where `replaced` stood, after compaction. */
  replace(replaced: readonly Segment[], segment: Segment): void {
    const at = this.#list.indexOf(replaced[0]!)
    assert(at !== -1, 'the segments to be replaced are in the log')
    this.#list.splice(at, replaced.length, segment)
  }
}
