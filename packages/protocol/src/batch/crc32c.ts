// CRC32C (Castagnoli), the checksum of record batches, producer snapshots and our own log files.
import { crc32c as nativeCrc32c } from '@node-rs/crc32'

/** Below this size the call into native code costs more than the table. */
const NATIVE_FROM_BYTES = 300

const TABLE = /* @__PURE__ */ buildTable()

function buildTable(): Int32Array {
  const table = new Int32Array(256)
  for (let n = 0; n < 256; n++) {
    let c = n
    for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1
    table[n] = c
  }
  return table
}

/** The checksum as an unsigned 32-bit number. */
export function crc32c(bytes: Uint8Array, start = 0, end = bytes.length): number {
  if (end - start >= NATIVE_FROM_BYTES) return nativeCrc32c(bytes.subarray(start, end)) >>> 0
  let crc = -1
  for (let i = start; i < end; i++) crc = TABLE[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8)
  return ~crc >>> 0
}
