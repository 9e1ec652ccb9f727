// How a cleaned segment comes into being and takes the place of those it was made from, so that a crash at any point leaves the old
// records or the new (log-loader.ts finishes or forgets it).
import type { Disk } from '@faultline/base'
import { assert } from '@faultline/base'
import { CLEANED_SUFFIX, SWAP_SUFFIX } from '../files.ts'
import type { LogConfig } from '../log-config.ts'
import { Segment } from '../segment.ts'
import type { Segments } from '../segments.ts'

export class CleanedFiles {
  readonly #disk: Disk
  readonly #directory: string
  readonly #segments: Segments
  readonly #config: LogConfig
  readonly #now: number
  #unfinished: Segment | undefined

  constructor(disk: Disk, directory: string, segments: Segments, config: LogConfig, now: number) {
    this.#disk = disk
    this.#directory = directory
    this.#segments = segments
    this.#config = config
    this.#now = now
  }

  create(baseOffset: number): Segment {
    this.#unfinished = new Segment(this.#disk, this.#directory, baseOffset, this.#config, this.#now, undefined, CLEANED_SUFFIX)
    return this.#unfinished
  }

  /** First it is complete, then next in line (what a restart would finish), then the originals go, then it takes their place. */
  putInPlaceOf(originals: readonly Segment[]): void {
    const cleaned = this.#unfinished
    assert(cleaned !== undefined, 'nothing was cleaned')
    this.#unfinished = undefined
    cleaned.syncRecords()
    cleaned.renameFile(SWAP_SUFFIX)
    this.#disk.syncDirectory(this.#directory)
    for (const original of originals) {
      if (original.baseOffset === cleaned.baseOffset) original.close()
      else original.removeFile()
      original.removeIndexes()
    }
    cleaned.renameFile('')
    cleaned.flush(true)
    this.#disk.syncDirectory(this.#directory)
    this.#segments.replace(originals, cleaned)
  }

  /** Cleaning ended before this segment did. */
  discard(): void {
    this.#unfinished?.removeFile()
    this.#unfinished = undefined
  }
}
