// How long something took, over all times and lately. Buckets grow by an eighth of an octave, so a quantile is right to within a tenth;
// adding one allocates nothing.

const SMALLEST_MS = 0.01
const PER_OCTAVE = 8
/** Up to 168 s. */
const BUCKETS = 24 * PER_OCTAVE

/** Quantiles speak of this window and the one before it. */
const WINDOW_MS = 60_000

export class Durations {
  count = 0
  sumMs = 0
  #recent = new Uint32Array(BUCKETS)
  #earlier = new Uint32Array(BUCKETS)
  #windowBegan = 0

  add(ms: number, now: number): void {
    this.#turn(now)
    this.count++
    this.sumMs += ms
    this.#recent[bucketOf(ms)]!++
  }

  /** Of the last one to two minutes, in ms; NaN when there were none. */
  quantiles(wanted: readonly number[], now: number): number[] {
    this.#turn(now)
    const counts = this.#recent.map((n, i) => n + this.#earlier[i]!)
    const total = counts.reduce((sum, n) => sum + n, 0)
    return wanted.map((q) => (total === 0 ? NaN : upperBoundOf(counts, Math.ceil(q * total))))
  }

  #turn(now: number): void {
    const age = now - this.#windowBegan
    if (age >= 0 && age < WINDOW_MS) return
    const aged = this.#earlier
    this.#earlier = this.#recent
    this.#recent = aged.fill(0)
    // Longer ago than the window before this one, or a clock that went back.
    if (age < 0 || age >= 2 * WINDOW_MS) this.#earlier.fill(0)
    this.#windowBegan = now
  }
}

function bucketOf(ms: number): number {
  if (!(ms > SMALLEST_MS)) return 0
  return Math.min(BUCKETS - 1, Math.floor(Math.log2(ms / SMALLEST_MS) * PER_OCTAVE))
}

function upperBoundOf(counts: Uint32Array, rank: number): number {
  let seen = 0
  for (let i = 0; i < BUCKETS; i++) if ((seen += counts[i]!) >= rank) return SMALLEST_MS * 2 ** ((i + 1) / PER_OCTAVE)
  return SMALLEST_MS * 2 ** (BUCKETS / PER_OCTAVE)
}
