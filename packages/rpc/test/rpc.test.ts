import { readFileSync } from 'node:fs'
import { PeerError } from '@faultline/base'
import * as fc from 'fast-check'
import protobuf from 'protobufjs/light.js'
import { describe, expect, it } from 'vitest'
// @ts-expect-error a build script without types
import { compile, TARGET } from '../../../scripts/compile-proto.mjs'
import { DESCRIPTORS } from '../src/generated/messages.ts'
import { messageCodec } from '../src/index.ts'

describe('rpc messages', () => {
  it('are generated from the .proto files as they are now', () => {
    expect(readFileSync(TARGET, 'utf8')).toBe(compile())
  })

  it('keep 53-bit integers as numbers and bytes as views', () => {
    const codec = messageCodec('ReplicaFetchReply')
    const records = [new Uint8Array([1, 2, 3])]
    const bytes = codec.encode({
      sequence: 7,
      partitions: [{ topicId: 't', highWatermark: 2 ** 52 + 1, diverging: true, records }],
    })
    const [partition] = codec.decode(bytes).partitions
    expect(partition?.highWatermark).toBe(2 ** 52 + 1)
    expect(partition?.logStartOffset).toBe(0)
    expect(partition?.records[0]?.buffer).toBe(bytes.buffer)
  })

  it('are what protobufjs would read and write', () => {
    const root = protobuf.Root.fromJSON(DESCRIPTORS as unknown as protobuf.INamespace)
    const integer = fc.oneof(fc.integer(), fc.maxSafeInteger())
    const partition = fc.record({
      topicId: fc.string({ unit: 'binary' }),
      partition: fc.integer(),
      fetchOffset: integer,
      lastFetchedEpoch: fc.integer(),
    })
    const reply = fc.record({
      sequence: fc.nat(),
      partitions: fc.array(
        fc.record({
          topicId: fc.string(),
          highWatermark: integer,
          diverging: fc.boolean(),
          records: fc.array(fc.uint8Array({ maxLength: 300 })),
        }),
      ),
    })
    const request = fc.record({ replicaEpoch: integer, partitions: fc.array(partition), forgotten: fc.constant([]) })
    const check = (name: 'ReplicaFetchReply' | 'ReplicaFetchRequest', value: object) => {
      const codec = messageCodec(name)
      const bytes = codec.encode(value)
      const type = root.lookupType(`faultline.${name}`)
      expect(codec.decode(bytes)).toEqual(type.decode(type.encode(value).finish()))
      const placed = new Uint8Array(bytes.length + 8)
      codec.prepare(value).copyTo(Buffer.from(placed.buffer), 5)
      expect(placed.subarray(5, 5 + bytes.length)).toEqual(new Uint8Array(bytes))
    }
    fc.assert(fc.property(reply, (value) => check('ReplicaFetchReply', value)))
    fc.assert(fc.property(request, (value) => check('ReplicaFetchRequest', value)))
  })

  it('give no bytes where none were sent', () => {
    const codec = messageCodec('MetadataBatch')
    const batch = codec.decode(codec.encode({ entries: [{ offset: 3 }] }))
    expect(batch.snapshot).toEqual(new Uint8Array(0))
    expect(batch.entries[0]?.records).toEqual(new Uint8Array(0))
  })

  it('answer garbage with a PeerError', () => {
    const codec = messageCodec('AlterPartitionRequest')
    expect(() => codec.decode(new Uint8Array([0x1a, 0xff, 0xff, 0xff, 0x7f, 1]))).toThrow(PeerError)
  })
})
