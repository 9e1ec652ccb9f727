// The marker of a clean stop, with the broker epoch of the time: by it the controller tells whether a replica may have lost data (KIP-966).
import type { Disk } from '@faultline/base'
import { readWhole, replaceWhole } from './files.ts'

const FILE = '.kafka_cleanshutdown'
const VERSION = 0
const UNKNOWN_EPOCH = -1

export function writeCleanShutdown(disk: Disk, path: string, brokerEpoch: number): void {
  const text = JSON.stringify({ version: VERSION, brokerEpoch })
  replaceWhole(disk, `${path}/${FILE}`, new TextEncoder().encode(text), true)
  disk.syncDirectory(path)
}

/** The broker epoch of the clean stop, −1 if the marker does not say. Undefined after any other stop. The marker counts once. */
export function takeCleanShutdown(disk: Disk, path: string): number | undefined {
  const bytes = readWhole(disk, `${path}/${FILE}`)
  if (bytes === undefined) return undefined
  disk.remove(`${path}/${FILE}`)
  disk.syncDirectory(path)
  const match = /^\{"version":0,"brokerEpoch":(-?\d{1,15})\}\s*$/.exec(new TextDecoder().decode(bytes))
  return match === null ? UNKNOWN_EPOCH : Number(match[1])
}
