// The id that a member is given: who it says it is, and something nobody else has.
import type { Random } from '@faultline/base'

/** A client id may take a whole string of the protocol; with something behind it, it must still fit into one. */
const MAX_PREFIX = 4096

export function newMemberId(random: Random, prefix: string): string {
  const hex = Array.from(random.bytes(16), (byte, i) => uuidByte(byte, i).toString(16).padStart(2, '0')).join('')
  const uuid = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
  return `${prefix.slice(0, MAX_PREFIX)}-${uuid}`
}

/** The two bytes of a random UUID that say that it is one. */
function uuidByte(byte: number, index: number): number {
  if (index === 6) return (byte & 0x0f) | 0x40
  return index === 8 ? (byte & 0x3f) | 0x80 : byte
}
