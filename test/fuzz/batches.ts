// Record batches for fuzzed Produce requests: most are sound, some lie about themselves in one place.
import { buildBatch, type CodecId, type RecordToWrite } from '@faultline/protocol'
import type { Vocabulary } from './vocabulary.ts'

const NOW = 1_700_000_000_000
const BATCH_HEADER_SIZE = 61

export function randomRecords(words: Vocabulary, oddness: number): Uint8Array {
  const batch = randomBatch(words, oddness)
  if (!words.chance(oddness)) return batch
  switch (words.random.below(6)) {
    case 0:
      return Buffer.concat([batch, randomBatch(words, 0)])
    case 1:
      return batch.subarray(0, words.random.below(batch.length + 1))
    case 2:
      return words.random.bytes(words.random.below(200))
    case 3:
      return new Uint8Array(0)
    default:
      return damaged(words, batch)
  }
}

function randomBatch(words: Vocabulary, oddness: number): Uint8Array {
  const { random } = words
  const records: RecordToWrite[] = Array.from({ length: random.below(4) }, (_, i) => ({
    key: words.chance(0.6) ? Buffer.from(`k${random.below(5)}`) : null,
    value: words.chance(0.9) ? random.bytes(random.below(words.chance(0.05) ? 20_000 : 60)) : null,
    timestamp: words.chance(oddness) ? words.pick([-1, 0, NOW * 2, -5]) : NOW + i,
    headers: words.chance(0.2) ? [{ key: words.pick(['h', '', 'é']), value: words.chance(0.5) ? random.bytes(3) : null }] : [],
  }))
  const idempotent = words.chance(0.3)
  return buildBatch(records, {
    codec: random.below(5) as CodecId,
    ...(idempotent
      ? {
          producerId: words.pick(words.producerIds),
          producerEpoch: words.pick([0, 0, 0, 1, -1, 0x7fff]),
          baseSequence: words.pick([0, 0, 1, 2, 3, 0x7fff_ffff, -1]),
        }
      : {}),
    transactional: words.chance(oddness * 0.3),
    control: words.chance(oddness * 0.3),
    ...(words.chance(oddness) ? { logAppendTime: NOW } : {}),
    ...(words.chance(oddness) ? { baseOffset: words.pick([1, -1, 5_000_000_000]) } : {}),
    ...(words.chance(oddness) ? { lastOffsetDelta: words.pick([-1, 0, 5, 0x7fff_ffff]) } : {}),
    ...(words.chance(oddness) ? { attributes: words.pick([5, 6, 7, 0x40, 0x4000]) } : {}),
  })
}

/** One field of the header, or one byte of the records, is another one; the checksum is wrong then, but where it is not covered. */
function damaged(words: Vocabulary, batch: Uint8Array): Uint8Array {
  const bytes = Uint8Array.from(batch)
  const at = words.chance(0.7) ? words.random.below(BATCH_HEADER_SIZE) : words.random.below(bytes.length)
  bytes[at] = words.random.below(256)
  return bytes
}
