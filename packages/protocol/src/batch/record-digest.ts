// A short name for what a record holds, by which it is known again in another place: at the brokers' edge, and at the end of a run.
import { crc32c } from './crc32c.ts'

/** Of key and value. A null is taken for an empty one, as readers have it that know bytes alone. */
export function recordDigest(key: Uint8Array | null, value: Uint8Array | null): string {
  return `${digest(key)}.${digest(value)}`
}

function digest(bytes: Uint8Array | null): string {
  return bytes === null || bytes.length === 0 ? '' : `${bytes.length.toString(36)}-${crc32c(bytes).toString(36)}`
}
