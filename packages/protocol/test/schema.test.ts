import { describe, expect, it } from 'vitest'
import {
  api,
  array,
  bytes,
  heartbeat,
  int32,
  int64,
  join,
  MalformedError,
  metadata,
  fetch,
  records,
  string,
  struct,
} from '../src/index.ts'

describe('schema', () => {
  it('encodes what the version carries, by hand-checked bytes', () => {
    const bytes = join(metadata.request.encode({ topics: [{ name: 'ab' }], allowAutoTopicCreation: false }, 4))
    expect([...bytes]).toEqual([0, 0, 0, 1, 0, 2, 97, 98, 0])
    const flexible = join(metadata.request.encode({ topics: null }, 9))
    expect([...flexible]).toEqual([0, 1, 0, 0, 0])
  })

  it('refuses a value that the version cannot carry, unless it is ignorable', () => {
    expect(() => metadata.request.encode({ allowAutoTopicCreation: false }, 3)).toThrow(/allowAutoTopicCreation/)
    expect(metadata.response.decode(join(metadata.response.encode({ clusterId: 'x' }, 0)), 0).clusterId).toBe(null)
  })

  const sample = api(
    999,
    'Sample',
    { versions: '0-1', flexible: '1+' },
    {
      request: {
        id: int64('0+', { default: -1 }),
        inner: struct('1+', { name: string('1+'), data: bytes('1+') }, { nullable: '1+', default: null, tag: 3 }),
        list: array('1+', int32, { tag: 1 }),
        data: records('0+', { nullable: '0+' }),
      },
      response: {},
    },
  )

  it('writes tagged fields in order, with sizes of more than one byte, and passes large data through', () => {
    const data = new Uint8Array(3000).fill(7)
    const inner = { name: 'n'.repeat(200), data: data.subarray(0, 2000) }
    const chunks = sample.request.encode({ id: 5, inner, list: [1, 2], data: [data, data.subarray(0, 10)] }, 1)
    expect(chunks[1]).toBe(data)
    const decoded = sample.request.decode(join(chunks), 1)
    expect(decoded.id).toBe(5)
    expect(decoded.inner?.name).toBe(inner.name)
    expect(decoded.inner?.data.length).toBe(2000)
    expect(decoded.list).toEqual([1, 2])
    expect(decoded.data?.length).toBe(3010)
  })

  it('skips unknown tagged fields and refuses a wrong size', () => {
    const plain = [...join(sample.request.encode({ id: 1 }, 1))].slice(0, -1)
    expect(sample.request.decode(Uint8Array.from([...plain, 1, 9, 2, 0, 0]), 1).id).toBe(1)
    expect(() => sample.request.decode(Uint8Array.from([...plain, 1, 1, 3, 2, 0, 0]), 1)).toThrow(MalformedError)
  })

  it('refuses an integer beyond 2^53 and an array that cannot fit', () => {
    expect(() => sample.request.decode(new Uint8Array(12).fill(0x7f), 0)).toThrow(MalformedError)
    expect(() => metadata.request.decode(Uint8Array.from([0x7f, 0xff, 0xff, 0xff]), 4)).toThrow(MalformedError)
    expect(() => sample.request.encode({ id: 2 ** 53 }, 0)).toThrow(/safe integer/)
  })

  it('leaves out a default that has no exact number', () => {
    const topics = [{ topicId: 'AAAAAAAAAAAAAAAAAAAAAQ', partitions: [{ partition: 1 }] }]
    const decoded = fetch.request.decode(join(fetch.request.encode({ topics }, 18)), 18)
    expect(decoded.topics[0]?.partitions[0]?.highWatermark).toBe(2 ** 63)
  })
})

describe('a long string that is not UTF-8', () => {
  it('is refused when repeating it would not fit a string', () => {
    const bytes = Buffer.alloc(2 + 20_000, 0xff)
    bytes.writeInt16BE(20_000, 0)
    expect(() => heartbeat.request.decode(Buffer.concat([bytes, Buffer.alloc(16)]), 0)).toThrow(MalformedError)
  })
})
