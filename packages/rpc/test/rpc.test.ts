import { readFileSync } from 'node:fs'
import { PeerError } from '@faultline/base'
import { describe, expect, it } from 'vitest'
// @ts-expect-error a build script without types
import { compile, TARGET } from '../../../scripts/compile-proto.mjs'
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
