// One entry of the metadata log: Kafka's record frames, each preceded by its length as a uint32. The records of an entry commit together.
import { assert } from '@faultline/base'
import { decodeMetadataRecord, encodeMetadataRecord, type MetadataRecord } from '@faultline/protocol'

export function encodeEntry(records: readonly MetadataRecord[]): Uint8Array {
  const frames = records.map((record) => encodeMetadataRecord(record))
  const out = new Uint8Array(frames.reduce((sum, f) => sum + 4 + f.length, 0))
  const view = new DataView(out.buffer)
  let at = 0
  for (const frame of frames) {
    view.setUint32(at, frame.length)
    out.set(frame, at + 4)
    at += 4 + frame.length
  }
  return out
}

export function decodeEntry(bytes: Uint8Array): MetadataRecord[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const records: MetadataRecord[] = []
  let at = 0
  while (at < bytes.length) {
    const length = view.getUint32(at)
    assert(at + 4 + length <= bytes.length, `metadata entry cut at ${at} of ${bytes.length}`)
    records.push(decodeMetadataRecord(bytes.subarray(at + 4, at + 4 + length)))
    at += 4 + length
  }
  return records
}
