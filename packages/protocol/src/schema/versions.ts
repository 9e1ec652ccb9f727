// Version ranges as Kafka's message definitions write them: "3", "0-4", "2+", "none".
import { assert } from '@faultline/base'

export interface VersionRange {
  readonly min: number
  readonly max: number
}

export const NO_VERSIONS: VersionRange = { min: 0, max: -1 }

export function parseVersions(text: string): VersionRange {
  if (text === 'none') return NO_VERSIONS
  const match = /^(\d+)(\+|-(\d+))?$/.exec(text)
  assert(match, `not a version range: ${text}`)
  const min = Number(match[1])
  return { min, max: match[2] === '+' ? Infinity : Number(match[3] ?? min) }
}

export function contains(range: VersionRange, version: number): boolean {
  return version >= range.min && version <= range.max
}
