// Kafka's text checkpoints: a version, a count, then one entry a line.
import type { Disk } from '@faultline/base'
import { readWhole, replaceWhole } from './files.ts'

const VERSION = '0'
const TO_TEXT = new TextDecoder()
const TO_BYTES = new TextEncoder()

export function writeCheckpoint(disk: Disk, path: string, entries: readonly string[], sync: boolean): void {
  const text = [VERSION, entries.length, ...entries].join('\n') + '\n'
  replaceWhole(disk, path, TO_BYTES.encode(text), sync)
}

/** The fields of each entry; undefined when the file is absent, 'damaged' when it is not a whole checkpoint of `fields` numbers or words. */
export function readCheckpoint(disk: Disk, path: string, fields: number): string[][] | undefined | 'damaged' {
  const bytes = readWhole(disk, path)
  if (bytes === undefined) return undefined
  const [version, count, ...lines] = TO_TEXT.decode(bytes).split('\n')
  if (version !== VERSION || count === undefined || !/^\d+$/.test(count)) return 'damaged'
  if (lines.length !== Number(count) + 1 || lines.at(-1) !== '') return 'damaged'
  const entries = lines.slice(0, -1).map((line) => line.split(' '))
  return entries.every((entry) => entry.length === fields) ? entries : 'damaged'
}

/** A non-negative decimal integer, or NaN. */
export function parseCount(text: string): number {
  return /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
}
