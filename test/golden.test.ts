// What real clients and Apache Kafka 4.4 said to each other, and what Kafka stored: decoded by us and encoded again to the same bytes.
// The files hold one frame (without its length) or record a line, in base64.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  apiByKey,
  checkBatch,
  decodeGroupMetadataValue,
  decodeGroupRecordKey,
  decodeMetadataRecord,
  decodeOffsetCommitValue,
  decodeRecords,
  decodeRequestHeader,
  decodeResponseHeader,
  encodeGroupMetadataKey,
  encodeGroupMetadataValue,
  encodeMetadataRecord,
  encodeOffsetCommitKey,
  encodeOffsetCommitValue,
  encodeRequestHeader,
  encodeResponseHeader,
  isBatchProblem,
  type produce,
  RecordBatch,
  type RequestOf,
} from '../packages/protocol/src/index.ts'

const FOLDER = join(import.meta.dirname, 'golden')
const CLIENTS = ['java', 'kafka-python', 'kafkajs', 'librdkafka']
const PRODUCE = 0

interface GoldenFrame {
  readonly api: number
  readonly version: number
  readonly direction: 'request' | 'response'
  readonly frame: string
}

function read<T>(name: string): T[] {
  const lines = readFileSync(join(FOLDER, `${name}.jsonl`), 'utf8')
    .trim()
    .split('\n')
  return lines.map((line) => JSON.parse(line) as T)
}

const hex = (...chunks: readonly Uint8Array[]) => Buffer.concat(chunks).toString('hex')
const base64 = (text: string) => Buffer.from(text, 'base64')

function again({ api: key, version, direction, frame }: GoldenFrame): { readonly bytes: string; readonly body: unknown } {
  const api = apiByKey(key)!
  const bytes = base64(frame)
  if (direction === 'request') {
    const { bodyOffset, ...header } = decodeRequestHeader(bytes)
    expect(header).toMatchObject({ apiKey: key, apiVersion: version })
    const body = api.request.decode(bytes.subarray(bodyOffset), version)
    return { body, bytes: hex(...encodeRequestHeader(header), ...api.request.encode(body, version)) }
  }
  const { bodyOffset, correlationId } = decodeResponseHeader(bytes, key, version)
  const body = api.response.decode(bytes.subarray(bodyOffset), version)
  return { body, bytes: hex(...encodeResponseHeader(key, version, correlationId), ...api.response.encode(body, version)) }
}

/** The codec of the produced batches, after reading every record of them. */
function readBatches(request: RequestOf<typeof produce>): number[] {
  const batches = request.topicData.flatMap((topic) => topic.partitionData.map((partition) => partition.records!))
  return batches.map((bytes) => {
    expect(checkBatch(bytes)).toBeUndefined()
    const batch = new RecordBatch(bytes, 0)
    const records = decodeRecords(batch)
    if (isBatchProblem(records)) throw new Error(records.message)
    expect([...records].length).toBe(batch.recordCount)
    return batch.codec
  })
}

describe('golden frames', () => {
  it('are of the clients named here', () => {
    const records = ['group-records', 'metadata-records']
    expect(readdirSync(FOLDER).toSorted()).toEqual([...CLIENTS, ...records].toSorted().map((name) => `${name}.jsonl`))
  })

  for (const client of CLIENTS) {
    describe(client, () => {
      const frames = read<GoldenFrame>(client)
      frames.forEach((frame, i) => {
        it(`${i}: ${apiByKey(frame.api)?.name} v${frame.version} ${frame.direction}`, () => {
          expect(again(frame).bytes).toBe(hex(base64(frame.frame)))
        })
      })

      it('batches can be read, whatever their codec', () => {
        const produced = frames.filter(({ api, direction }) => api === PRODUCE && direction === 'request')
        const codecs = new Set(produced.flatMap((frame) => readBatches(again(frame).body as RequestOf<typeof produce>)))
        const all = client === 'java' || client === 'librdkafka' ? [0, 1, 2, 3, 4] : [0, 1]
        expect([...codecs].toSorted()).toEqual(all)
      })
    })
  }
})

describe('stored records', () => {
  for (const { type, record } of read<{ type: string; record: string }>('metadata-records')) {
    it(`${type} v${base64(record)[2]}`, () => {
      const decoded = decodeMetadataRecord(base64(record))
      expect(decoded.type).toBe(type)
      expect(hex(encodeMetadataRecord(decoded, base64(record)[2]))).toBe(hex(base64(record)))
    })
  }

  read<{ key: string; value: string | null }>('group-records').forEach(({ key, value }, i) => {
    it(`group record ${i}`, () => {
      const decoded = decodeGroupRecordKey(base64(key))
      const bytes = base64(value ?? '')
      if (decoded.type === 'OffsetCommit') {
        expect(hex(encodeOffsetCommitKey(decoded.key))).toBe(hex(base64(key)))
        if (value !== null) expect(hex(encodeOffsetCommitValue(decodeOffsetCommitValue(bytes)))).toBe(hex(bytes))
      } else if (decoded.type === 'GroupMetadata') {
        expect(hex(encodeGroupMetadataKey(decoded.key))).toBe(hex(base64(key)))
        if (value !== null) expect(hex(encodeGroupMetadataValue(decodeGroupMetadataValue(bytes)))).toBe(hex(bytes))
      } else expect.fail(`a key of type ${decoded.code}`)
    })
  })
})
