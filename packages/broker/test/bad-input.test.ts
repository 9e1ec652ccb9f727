// Clients that are slow, greedy, broken or hostile: each gets an answer or the end of its connection, holds a bounded amount of memory, is
// counted, and disturbs nobody.
import { gzipSync } from 'node:zlib'
import {
  apiVersions,
  type Api,
  buildBatch,
  decodeCorrelationId,
  encodeFrame,
  encodeRequestHeader,
  Errors,
  fetch,
  metadata,
  produce,
  RecordBatch,
  type RequestInput,
} from '@faultline/protocol'
import { describe, expect, it } from 'vitest'
import { RawClient, Scene } from './scene.ts'

const MIB = 1024 * 1024

function frame<A extends Api>(api: A, apiVersion: number, request: RequestInput<A>, correlationId = 1): Buffer {
  const header = encodeRequestHeader({ apiKey: api.key, apiVersion, correlationId, clientId: 'test' })
  return Buffer.concat(encodeFrame(header, api.request.encode(request as never, apiVersion)))
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

const HELLO = (correlationId = 1) => frame(apiVersions, 0, {}, correlationId)

/** Somebody else is served. */
async function serves(scene: Scene): Promise<void> {
  expect((await scene.ask(metadata, 12, { topics: null })).errorCode).toBe(Errors.NONE)
}

const malformed = (scene: Scene) => scene.world.broker(1)!.metrics.malformed

describe('bytes that are no request', () => {
  it.each<[string, Uint8Array]>([
    ['a negative length', int32(-1)],
    ['a length beyond socket.request.max.bytes', int32(100 * MIB + 1)],
    ['another protocol', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['a TLS hello', Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01])],
    ['an empty frame', int32(0)],
    ['a header cut short', Buffer.concat([int32(3), Buffer.alloc(3)])],
    ['an API that there is not', Buffer.concat(encodeFrame([], [Buffer.from([0x7f, 0, 0, 0, 0, 0, 0, 1, 0xff, 0xff])]))],
    ['a version that there is not', Buffer.concat(encodeFrame([], [Buffer.from([0, 3, 0x7f, 0, 0, 0, 0, 1, 0xff, 0xff])]))],
    ['a body cut short', Buffer.concat(encodeFrame([], [frame(metadata, 12, { topics: null }).subarray(4, -2)]))],
    [
      'an array of two billion',
      Buffer.concat(encodeFrame([], [frame(metadata, 4, { topics: [] }).subarray(4, -5), int32(0x7fff_ffff), Buffer.of(0)])),
    ],
  ])('%s ends the connection, is counted, and disturbs nobody', async (_what, bytes) => {
    const scene = await Scene.start()
    const client = new RawClient(scene.dial())
    client.send(bytes)
    await scene.pass(50)
    expect(client.closed).toBe(true)
    expect(client.frames).toEqual([])
    expect(malformed(scene)).toBe(1)
    const told = scene.world.events.filter((e) => e.event === 'connection.refused')
    expect(told.length).toBe(1)
    expect(String(told[0]!.fields.reason).length).toBeGreaterThan(10)
    await serves(scene)
  })

  it('end the connection after what came before them is answered', async () => {
    const scene = await Scene.start()
    const client = new RawClient(scene.dial())
    client.send(Buffer.concat([HELLO(1), HELLO(2), int32(-5), HELLO(3)]))
    await scene.pass(50)
    expect(client.frames.map(decodeCorrelationId)).toEqual([1, 2])
    expect(client.closed).toBe(true)
  })
})

describe('a slow client', () => {
  it('is served byte by byte', async () => {
    const scene = await Scene.start()
    const client = new RawClient(scene.dial())
    for (const byte of HELLO()) client.send(Uint8Array.of(byte))
    await scene.pass(500)
    expect(client.frames.length).toBe(1)
  })

  it('holds no more memory than it has sent, whatever it announces', async () => {
    const scene = await Scene.start()
    const before = process.memoryUsage().arrayBuffers
    const clients = Array.from({ length: 500 }, () => new RawClient(scene.dial()))
    for (const client of clients) client.send(int32(100 * MIB), Buffer.alloc(100))
    await scene.pass(100)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100 * MIB)
    expect(scene.world.broker(1)!.connectionCount).toBe(500)
    await serves(scene)
  })

  it('is left when it says nothing for connections.max.idle.ms, with half a request or none', async () => {
    const scene = await Scene.start({ settings: { 'connections.max.idle.ms': '5000' } })
    const clients = Array.from({ length: 500 }, () => new RawClient(scene.dial()))
    for (const client of clients.slice(250)) client.send(HELLO().subarray(0, 9))
    await scene.pass(4000)
    expect(clients.some((c) => c.closed)).toBe(false)
    const [busy] = clients
    busy!.send(HELLO())
    await serves(scene)
    await scene.pass(4000)
    expect(clients.filter((c) => !c.closed)).toEqual([busy])
    expect(scene.world.broker(1)!.metrics.idle).toBe(499)
  })

  it('keeps its connection while it waits for an answer', async () => {
    const scene = await Scene.start({ settings: { 'connections.max.idle.ms': '1000' } })
    await scene.createTopic('a')
    const client = new RawClient(scene.dial())
    const topics = [{ topic: 'a', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 100 }] }]
    client.send(frame(fetch, 12, { maxWaitMs: 5000, minBytes: 1, topics }))
    await scene.pass(4000)
    expect(client.closed).toBe(false)
    await scene.pass(2000)
    expect(client.frames.length).toBe(1)
  })
})

describe('a client that goes away', () => {
  it('leaves nothing behind that waits for it', async () => {
    const scene = await Scene.start({ brokers: 2 })
    await scene.createTopic('a', 1, 2, { 'min.insync.replicas': '2' })
    const leader = scene.leaderOf('a')
    scene.world.crash(3 - leader)
    const partition = scene.world.broker(leader)!.replicas.byName('a', 0)!
    const records = buildBatch([{ key: null, value: Buffer.from('x'), timestamp: 1_700_000_000_000 }])
    const long = 0x7fff_ffff
    for (let i = 0; i < 20; i++) {
      const client = new RawClient(scene.dial(leader))
      const topics = [{ topic: 'a', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 100 }] }]
      const topicData = [{ name: 'a', partitionData: [{ index: 0, records }] }]
      if (i % 2 === 0) client.send(frame(fetch, 12, { maxWaitMs: long, minBytes: 1, topics }))
      else client.send(frame(produce, 9, { acks: -1, timeoutMs: long, topicData }))
      await scene.pass(20)
      expect(partition.advanced.size).toBe(1)
      client.close()
      await scene.pass(20)
      expect(partition.advanced.size).toBe(0)
    }
  })
})

describe('a client that does not read', () => {
  it('is not answered any more, and not read from, until it reads', async () => {
    const scene = await Scene.start()
    await scene.createTopic('a', 1, 1, { 'max.message.bytes': String(2 * MIB) })
    await scene.produce('a', ['x'.repeat(MIB)])
    const client = new RawClient(scene.dial())
    client.pause()
    const topics = [{ topic: 'a', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: MIB }] }]
    const before = scene.world.broker(1)!.metrics.requests
    const asked = 300
    for (let i = 0; i < asked; i++) client.send(frame(fetch, 12, { maxWaitMs: 0, topics }, i))
    await scene.pass(5000)
    // The window takes one answer, another waits.
    expect(scene.world.broker(1)!.metrics.requests - before).toBeLessThan(5)
    await serves(scene)
    client.resume()
    await scene.pass(5000)
    expect(client.frames.map(decodeCorrelationId)).toEqual(Array.from({ length: asked }, (_, i) => i))
  })
})

describe('a client that does not wait', () => {
  it('is answered in order, however much it sends at once', async () => {
    const scene = await Scene.start()
    const client = new RawClient(scene.dial())
    const asked = 20_000
    client.send(Buffer.concat(Array.from({ length: asked }, (_, i) => HELLO(i))))
    await scene.pass(5000)
    expect(client.frames.length).toBe(asked)
    expect(client.frames.every((f, i) => decodeCorrelationId(f) === i)).toBe(true)
  })

  it('is answered in order, with what has to wait in between', async () => {
    const scene = await Scene.start()
    await scene.createTopic('a')
    const client = new RawClient(scene.dial())
    const topics = [{ topic: 'a', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 100 }] }]
    const header = encodeRequestHeader({ apiKey: apiVersions.key, apiVersion: 99, correlationId: 3, clientId: null })
    const future = Buffer.concat(encodeFrame(header, []))
    client.send(Buffer.concat([HELLO(1), frame(fetch, 12, { maxWaitMs: 500, minBytes: 1, topics }, 2), future, HELLO(4)]))
    await scene.pass(100)
    expect(client.frames.map(decodeCorrelationId)).toEqual([1])
    await scene.pass(1000)
    expect(client.frames.map(decodeCorrelationId)).toEqual([1, 2, 3, 4])
  })
})

describe('acks=0', () => {
  const send = (name: string) =>
    frame(produce, 9, {
      acks: 0,
      timeoutMs: 100,
      topicData: [
        {
          name,
          partitionData: [
            { index: 0, records: buildBatch([{ key: null, value: Buffer.from('x'), timestamp: 1_700_000_000_000 }]) },
          ],
        },
      ],
    })

  it('has no answer, and an error ends the connection', async () => {
    const scene = await Scene.start()
    await scene.createTopic('a')
    const client = new RawClient(scene.dial())
    client.send(send('a'), send('a'))
    await scene.pass(100)
    expect([client.frames.length, client.closed]).toEqual([0, false])
    expect((await scene.fetch('a', 0)).highWatermark).toBe(2)
    client.send(Buffer.concat([send('missing'), send('a')]))
    await scene.pass(100)
    expect([client.frames.length, client.closed]).toEqual([0, true])
    expect((await scene.fetch('a', 0)).highWatermark).toBe(2)
  })
})

describe('batches that are not what they say', () => {
  const GZIP = 1
  const CODECS = [1, 2, 3, 4] as const
  const CRC_AT = 17
  const record = { key: Buffer.from('k'), value: Buffer.from('v'), timestamp: 1_700_000_000_000 }

  /** Any bytes in place of the compressed records, under a checksum that fits. */
  function compressedInto(bytes: Uint8Array, codec: number): Uint8Array {
    return buildBatch([record], { codec: codec as 1, compress: () => bytes })
  }

  async function compacting(): Promise<Scene> {
    const scene = await Scene.start()
    await scene.createTopic('a', 1, 1, { 'cleanup.policy': 'compact' })
    return scene
  }

  it.each(CODECS)('are refused when their records do not decompress (codec %i)', async (codec) => {
    const scene = await compacting()
    for (const rubbish of [Buffer.alloc(0), Buffer.alloc(40, 7), Buffer.from('\x1f\x8b\x08rubbish', 'latin1')]) {
      const { errorCode } = await scene.produceBytes('a', compressedInto(rubbish, codec))
      expect([Errors.CORRUPT_MESSAGE, Errors.INVALID_RECORD]).toContain(errorCode)
    }
    expect(scene.world.broker(1)!.metrics.refusedBatches).toBe(3)
    expect((await scene.produce('a', [])).errorCode).toBe(Errors.INVALID_RECORD)
    expect((await scene.produceBytes('a', buildBatch([record], { codec: codec as 1 }))).errorCode).toBe(Errors.NONE)
  })

  it('are refused when they become too large', async () => {
    const scene = await compacting()
    const bomb = gzipSync(Buffer.alloc(600 * MIB))
    expect(bomb.length).toBeLessThan(MIB)
    const before = process.memoryUsage().rss
    const { errorCode } = await scene.produceBytes('a', compressedInto(bomb, GZIP))
    expect([Errors.CORRUPT_MESSAGE, Errors.INVALID_RECORD]).toContain(errorCode)
    expect(process.memoryUsage().rss - before).toBeLessThan(700 * MIB)
    await serves(scene)
  })

  it('are refused for a count or a size that is not theirs', async () => {
    const scene = await compacting()
    const change = async (at: number, write: (bytes: Buffer) => void) => {
      const bytes = Buffer.from(buildBatch([record]))
      write(bytes)
      if (at > CRC_AT) bytes.writeUInt32BE(new RecordBatch(bytes).computeCrc(), CRC_AT)
      return (await scene.produceBytes('a', bytes)).errorCode
    }
    const refused = [Errors.CORRUPT_MESSAGE, Errors.INVALID_RECORD]
    expect(refused).toContain(await change(8, (b) => b.writeInt32BE(0x7fff_ffff, 8)))
    expect(refused).toContain(await change(8, (b) => b.writeInt32BE(-1, 8)))
    expect(refused).toContain(await change(8, (b) => b.writeInt32BE(10, 8)))
    expect(refused).toContain(await change(57, (b) => b.writeInt32BE(0x7fff_ffff, 57)))
    expect(refused).toContain(await change(57, (b) => b.writeInt32BE(-1, 57)))
    expect(refused).toContain(await change(61, (b) => b.writeUInt8(0xff, 61)))
    expect(refused).toContain(await change(23, (b) => b.writeInt32BE(-1, 23)))
  })
})
