// Walks over uncompressed records without making an object of any: the fields of the current record are positions in the bytes.

export class RecordCursor {
  readonly bytes: Uint8Array
  /** Why the walk stopped before the declared number of records, or what follows them. */
  problem: string | undefined
  offsetDelta = 0
  timestampDelta = 0
  keyAt = 0
  /** −1 for a null key. */
  keyLength = -1
  valueAt = 0
  /** −1 for a null value, a tombstone. */
  valueLength = -1
  headersAt = 0
  headerCount = 0
  /** Where the current record begins (its length field) and ends. */
  start = 0
  end: number

  readonly #limit: number
  #left: number
  #at: number
  #bad = false

  /** `count` records between `from` and `to`. */
  constructor(bytes: Uint8Array, from: number, to: number, count: number) {
    this.bytes = bytes
    this.end = from
    this.#at = from
    this.#limit = to
    this.#left = count
  }

  /** Moves to the next record. False at the end, and where the bytes are not a record (`problem` says so). */
  next(): boolean {
    const start = this.end
    if (this.#left === 0) {
      if (start !== this.#limit) this.problem = `${this.#limit - start} bytes after the last record`
      return false
    }
    this.#left--
    this.#at = start
    const length = this.#varint()
    const end = this.#at + length
    if (this.#bad || length < 0 || end > this.#limit) return this.#fail('record longer than the batch')
    this.#at++ // attributes, none assigned
    this.timestampDelta = this.#varint()
    this.offsetDelta = this.#varint()
    this.keyLength = this.#varint()
    this.keyAt = this.#at
    if (this.keyLength > 0) this.#at += this.keyLength
    if (this.#at > end) return this.#fail('key longer than its record')
    this.valueLength = this.#varint()
    this.valueAt = this.#at
    if (this.valueLength > 0) this.#at += this.valueLength
    if (this.#at > end) return this.#fail('value longer than its record')
    this.headerCount = this.#varint()
    this.headersAt = this.#at
    if (this.headerCount !== 0) this.#skipHeaders(end)
    if (this.#bad || this.#at !== end || this.keyLength < -1 || this.valueLength < -1) return this.#fail('malformed record')
    this.start = start
    this.end = end
    return true
  }

  /** The headers of the current record, in order: key bytes and value bytes (null allowed). */
  headers(visit: (keyAt: number, keyLength: number, valueAt: number, valueLength: number) => void): void {
    this.#at = this.headersAt
    for (let i = 0; i < this.headerCount; i++) {
      const keyLength = this.#varint()
      const keyAt = this.#at
      this.#at += keyLength
      const valueLength = this.#varint()
      visit(keyAt, keyLength, this.#at, valueLength)
      if (valueLength > 0) this.#at += valueLength
    }
  }

  #skipHeaders(end: number): void {
    // A header takes two bytes at least, so a larger count is nonsense and would only cost time.
    if (this.headerCount < 0 || this.headerCount * 2 > end - this.#at) {
      this.#bad = true
      return
    }
    for (let i = this.headerCount; i > 0; i--) {
      if (this.#at >= end) this.#bad = true
      const keyLength = this.#varint()
      if (keyLength < 0) this.#bad = true
      else this.#at += keyLength
      if (this.#at > end) this.#bad = true
      const valueLength = this.#varint()
      if (valueLength > 0) this.#at += valueLength
      else if (valueLength < -1) this.#bad = true
      if (this.#bad) return
    }
  }

  #fail(problem: string): false {
    this.problem = problem
    this.#left = 0
    this.end = this.#limit
    return false
  }

  /** Short ones may be read beyond the limit: whoever moves past the end of the record is found out there. */
  #varint(): number {
    const at = this.#at
    const first = this.bytes[at]!
    if (first < 0x80) {
      this.#at = at + 1
      return (first >>> 1) ^ -(first & 1)
    }
    const second = this.bytes[at + 1]!
    if (second < 0x80) {
      this.#at = at + 2
      const zigzag = (first & 0x7f) | (second << 7)
      return (zigzag >>> 1) ^ -(zigzag & 1)
    }
    return this.#longVarint()
  }

  /** Up to eight bytes: no length comes near, and no two timestamps lie 2^52 ms apart. */
  #longVarint(): number {
    let zigzag = 0
    let scale = 1
    for (let i = 0; i < 8 && this.#at < this.#limit; i++) {
      const byte = this.bytes[this.#at++]!
      zigzag += (byte & 0x7f) * scale
      if (byte < 0x80 && zigzag <= Number.MAX_SAFE_INTEGER) return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2
      scale *= 0x80
    }
    this.#bad = true
    return -1
  }
}
