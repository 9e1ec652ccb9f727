// Produce: what is refused and how, and the sequence rules of idempotent producers.
import { buildBatch, type CodecId, Errors, initProducerId, produce, RecordBatch, type RequestInput } from '@faultline/protocol'
import { beforeAll, describe, expect, it } from 'vitest'
import { Scene } from './scene.ts'

const T = 1_700_000_000_000
const RECORD = { key: null, value: Buffer.from('x'), timestamp: T }
const KEYED = { ...RECORD, key: Buffer.from('k') }
const ZSTD = 4
const ATTRIBUTES_AT = 21
const CRC_AT = 17

/** The batch with bytes of its header changed, and a checksum that fits again. */
function changed(batch: Uint8Array, change: (bytes: Buffer) => void): Uint8Array {
  const bytes = Buffer.from(batch)
  change(bytes)
  bytes.writeUInt32BE(new RecordBatch(bytes).computeCrc(), CRC_AT)
  return bytes
}

describe('Produce', () => {
  let scene: Scene
  beforeAll(async () => {
    scene = await Scene.start()
    await scene.createTopic('a', 2)
    await scene.createTopic('compacted', 1, 1, { 'cleanup.policy': 'compact' })
    await scene.createTopic('small', 1, 1, { 'max.message.bytes': '300' })
    await scene.createTopic('stamped', 1, 1, { 'message.timestamp.type': 'LogAppendTime' })
    await scene.createTopic('recent', 1, 1, {
      'message.timestamp.before.max.ms': '1000',
      'message.timestamp.after.max.ms': '1000',
    })
    await scene.createTopic('safe', 1, 1, { 'min.insync.replicas': '1' })
  })

  const codeOf = async (topic: string, records: Uint8Array | null, version = 12) =>
    (await scene.produceBytes(topic, records, 0, version)).errorCode

  it.each<[string, Uint8Array | null, number]>([
    ['no records', null, Errors.INVALID_RECORD],
    ['an empty batch', buildBatch([]), Errors.INVALID_RECORD],
    ['two batches', Buffer.concat([buildBatch([RECORD]), buildBatch([RECORD])]), Errors.INVALID_RECORD],
    ['less than a header', buildBatch([RECORD]).subarray(0, 40), Errors.CORRUPT_MESSAGE],
    ['a batch cut short', buildBatch([RECORD]).subarray(0, 65), Errors.CORRUPT_MESSAGE],
    ['a flipped bit', Buffer.from(buildBatch([RECORD])).fill(0x55, 65, 66), Errors.CORRUPT_MESSAGE],
    ['a base offset', buildBatch([RECORD], { baseOffset: 5 }), Errors.INVALID_RECORD],
    ['fewer records than offsets', buildBatch([RECORD], { lastOffsetDelta: 1 }), Errors.INVALID_RECORD],
    ['a control batch', buildBatch([KEYED], { control: true }), Errors.INVALID_RECORD],
    ['a producer without sequence', buildBatch([RECORD], { producerId: 77, producerEpoch: 0 }), Errors.INVALID_RECORD],
    ['log append time', buildBatch([RECORD], { logAppendTime: T }), Errors.INVALID_TIMESTAMP],
    ['an unknown codec', changed(buildBatch([RECORD]), (b) => b.writeInt16BE(7, ATTRIBUTES_AT)), Errors.INVALID_RECORD],
  ])('refuses %s', async (_what, records, error) => {
    expect(await codeOf('a', records)).toBe(error)
  })

  it('refuses old magics', async () => {
    const old = Buffer.from(buildBatch([RECORD]))
    old[16] = 1
    expect([Errors.INVALID_RECORD, Errors.CORRUPT_MESSAGE]).toContain(await codeOf('a', old))
  })

  it('refuses what is too large, and takes what is just not', async () => {
    const sized = (size: number) => buildBatch([{ ...RECORD, value: Buffer.alloc(size - 70) }])
    expect(sized(300).length).toBeLessThanOrEqual(300)
    expect(await codeOf('small', sized(300))).toBe(Errors.NONE)
    expect(await codeOf('small', sized(320))).toBe(Errors.MESSAGE_TOO_LARGE)
    expect(await codeOf('a', sized(2_000_000))).toBe(Errors.MESSAGE_TOO_LARGE)
  })

  it('refuses records without key where they are compacted, and names them', async () => {
    const batch = buildBatch([KEYED, RECORD, KEYED, RECORD])
    const topicData = [{ name: 'compacted', partitionData: [{ index: 0, records: batch }] }]
    const { responses } = await scene.ask(produce, 12, { acks: -1, timeoutMs: 1000, topicData })
    const [partition] = responses[0]!.partitionResponses
    expect(partition!.errorCode).toBe(Errors.INVALID_RECORD)
    expect(partition!.recordErrors.map((r) => r.batchIndex)).toEqual([1, 3])
    expect(await codeOf('compacted', buildBatch([KEYED]))).toBe(Errors.NONE)
  })

  it('refuses times that are too far away, and names the records', async () => {
    const now = Math.floor(scene.world.scheduler.now) + T
    const batch = buildBatch([
      { ...RECORD, timestamp: now },
      { ...RECORD, timestamp: now - 5000 },
      { ...RECORD, timestamp: now + 5000 },
    ])
    const topicData = [{ name: 'recent', partitionData: [{ index: 0, records: batch }] }]
    const { responses } = await scene.ask(produce, 12, { acks: -1, timeoutMs: 1000, topicData })
    const [partition] = responses[0]!.partitionResponses
    expect(partition!.errorCode).toBe(Errors.INVALID_TIMESTAMP)
    expect(partition!.recordErrors.map((r) => r.batchIndex)).toEqual([1, 2])
  })

  it('answers log append time where it is the broker that stamps', async () => {
    const topicData = [{ name: 'stamped', partitionData: [{ index: 0, records: buildBatch([RECORD]) }] }]
    const stamped = await scene.ask(produce, 12, { acks: 1, timeoutMs: 1000, topicData })
    expect(stamped.responses[0]!.partitionResponses[0]!.logAppendTimeMs).toBeGreaterThanOrEqual(T)
    const created = await scene.ask(produce, 12, {
      acks: 1,
      timeoutMs: 1000,
      topicData: topicData.map((t) => ({ ...t, name: 'a' })),
    })
    expect(created.responses[0]!.partitionResponses[0]!.logAppendTimeMs).toBe(-1)
  })

  it('refuses zstd before version 7', async () => {
    const batch = () => buildBatch([RECORD], { codec: ZSTD as CodecId })
    expect(await codeOf('a', batch(), 6)).toBe(Errors.UNSUPPORTED_COMPRESSION_TYPE)
    expect(await codeOf('a', batch(), 7)).toBe(Errors.NONE)
  })

  it.each([2, -2, 100])('refuses acks=%i everywhere', async (acks) => {
    const records = buildBatch([RECORD])
    const topicData = [{ name: 'a', partitionData: [0, 1].map((index) => ({ index, records })) }]
    const { responses } = await scene.ask(produce, 12, { acks, timeoutMs: 1000, topicData })
    expect(responses[0]!.partitionResponses.map((p) => p.errorCode)).toEqual([
      Errors.INVALID_REQUIRED_ACKS,
      Errors.INVALID_REQUIRED_ACKS,
    ])
  })

  it('refuses transactions without an id, two producers in a request, and internal topics', async () => {
    const ask = async (topicData: RequestInput<typeof produce>['topicData']) =>
      (await scene.ask(produce, 12, { acks: -1, timeoutMs: 1000, topicData: topicData! })).responses[0]!.partitionResponses[0]!
        .errorCode
    const of = (producerId: number) => buildBatch([RECORD], { producerId, producerEpoch: 0, baseSequence: 0 })
    const transactional = buildBatch([RECORD], { producerId: 9, producerEpoch: 0, baseSequence: 0, transactional: true })
    expect(await ask([{ name: 'a', partitionData: [{ index: 0, records: transactional }] }])).toBe(
      Errors.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
    )
    const two = [0, 1].map((index) => ({ index, records: of(index + 50) }))
    expect(await ask([{ name: 'a', partitionData: two }])).toBe(Errors.INVALID_PRODUCER_ID_MAPPING)
    expect(await ask([{ name: '__consumer_offsets', partitionData: [{ index: 0, records: of(5) }] }])).toBe(
      Errors.INVALID_TOPIC_EXCEPTION,
    )
  })

  it('says where the leader is, from version 10 on', async () => {
    const two = await Scene.start({ brokers: 2 })
    await two.createTopic('b', 1, 1)
    const leader = two.leaderOf('b')
    const topicData = [{ name: 'b', partitionData: [{ index: 0, records: buildBatch([RECORD]) }] }]
    const reply = await two.ask(produce, 10, { acks: 1, timeoutMs: 1000, topicData }, 3 - leader)
    const [partition] = reply.responses[0]!.partitionResponses
    expect(partition).toMatchObject({
      errorCode: Errors.NOT_LEADER_OR_FOLLOWER,
      currentLeader: { leaderId: leader, leaderEpoch: 0 },
    })
    expect(reply.nodeEndpoints.map((n) => n.nodeId)).toEqual([leader])
    const old = await two.ask(produce, 9, { acks: 1, timeoutMs: 1000, topicData }, 3 - leader)
    expect(old.responses[0]!.partitionResponses[0]!.errorCode).toBe(Errors.NOT_LEADER_OR_FOLLOWER)
  })
})

describe('acks=all', () => {
  const SETTINGS = {
    'replica.lag.time.max.ms': '2000',
    'broker.session.timeout.ms': '1000',
    'broker.heartbeat.interval.ms': '200',
  }

  it('waits for the ISR, is told when its time is up, and refused when the ISR is too small', async () => {
    const scene = await Scene.start({ brokers: 2, settings: SETTINGS })
    await scene.createTopic('a', 1, 2, { 'min.insync.replicas': '2' })
    expect((await scene.produce('a', ['x'])).errorCode).toBe(Errors.NONE)
    const leader = scene.leaderOf('a')
    scene.world.crash(3 - leader)
    const topicData = [{ name: 'a', partitionData: [{ index: 0, records: buildBatch([RECORD]) }] }]
    const late = await scene.ask(produce, 12, { acks: -1, timeoutMs: 300, topicData }, leader)
    expect(late.responses[0]!.partitionResponses[0]!.errorCode).toBe(Errors.REQUEST_TIMED_OUT)
    await scene.pass(4000)
    expect((await scene.produce('a', ['z'])).errorCode).toBe(Errors.NOT_ENOUGH_REPLICAS)
    const one = await scene.ask(produce, 12, { acks: 1, timeoutMs: 300, topicData }, leader)
    expect(one.responses[0]!.partitionResponses[0]!.errorCode).toBe(Errors.NONE)
  })
})

describe('an idempotent producer', () => {
  async function started() {
    const scene = await Scene.start()
    await scene.createTopic('a')
    const { producerId } = await scene.ask(initProducerId, 4, { transactionalId: null, transactionTimeoutMs: 0 })
    const send = async (baseSequence: number, count = 1, producerEpoch = 0) => {
      const values = Array.from({ length: count }, (_, i) => `${baseSequence + i}`)
      const { errorCode, baseOffset } = await scene.produce('a', values, { producerId, producerEpoch, baseSequence })
      return [errorCode, baseOffset]
    }
    return { scene, producerId, send }
  }

  it('is answered with the first offset when it sends a batch again, and only once in the log', async () => {
    const { scene, send } = await started()
    expect(await send(0, 3)).toEqual([Errors.NONE, 0])
    expect(await send(3, 2)).toEqual([Errors.NONE, 3])
    expect(await send(0, 3)).toEqual([Errors.NONE, 0])
    expect(await send(3, 2)).toEqual([Errors.NONE, 3])
    expect((await scene.fetch('a', 0)).highWatermark).toBe(5)
  })

  it('is remembered by its last five batches', async () => {
    const { send } = await started()
    for (let i = 0; i < 6; i++) expect(await send(i)).toEqual([Errors.NONE, i])
    expect(await send(1)).toEqual([Errors.NONE, 1])
    expect(await send(0)).toEqual([Errors.OUT_OF_ORDER_SEQUENCE_NUMBER, -1])
  })

  it('must go on where it stopped', async () => {
    const { send } = await started()
    await send(0, 2)
    expect(await send(3)).toEqual([Errors.OUT_OF_ORDER_SEQUENCE_NUMBER, -1])
    expect(await send(1)).toEqual([Errors.OUT_OF_ORDER_SEQUENCE_NUMBER, -1])
    expect(await send(0, 3)).toEqual([Errors.OUT_OF_ORDER_SEQUENCE_NUMBER, -1])
    expect(await send(2)).toEqual([Errors.NONE, 2])
  })

  it('begins at 0 with a new epoch, which fences the old one', async () => {
    const { send } = await started()
    await send(0)
    expect(await send(5, 1, 1)).toEqual([Errors.OUT_OF_ORDER_SEQUENCE_NUMBER, -1])
    expect(await send(0, 1, 1)).toEqual([Errors.NONE, 1])
    expect(await send(1, 1, 0)).toEqual([Errors.INVALID_PRODUCER_EPOCH, -1])
  })

  it('may begin anywhere where nobody knows it', async () => {
    const { send } = await started()
    expect(await send(41)).toEqual([Errors.NONE, 0])
    expect(await send(42)).toEqual([Errors.NONE, 1])
  })

  it('goes on at 0 after the largest sequence number', async () => {
    const { send } = await started()
    expect(await send(0x7fff_fffe, 2)).toEqual([Errors.NONE, 0])
    expect(await send(0)).toEqual([Errors.NONE, 2])
  })

  it('is remembered by the next leader, and after a restart', async () => {
    const settings = { 'broker.session.timeout.ms': '1000', 'broker.heartbeat.interval.ms': '200' }
    const scene = await Scene.start({ brokers: 2, settings })
    await scene.createTopic('a', 1, 2)
    const send = async (baseSequence: number) =>
      (await scene.produce('a', ['x'], { producerId: 7, producerEpoch: 0, baseSequence })).baseOffset
    expect([await send(0), await send(1)]).toEqual([0, 1])
    await scene.pass(1000)
    const first = scene.leaderOf('a')
    scene.world.crash(first)
    await scene.world.runUntil('another leader', () => scene.leaderOf('a') === 3 - first, 20_000)
    await scene.pass(200)
    expect([await send(1), await send(2)]).toEqual([1, 2])
    scene.world.crash(3 - first)
    scene.world.startBroker(3 - first)
    const leads = () =>
      scene.world.broker(3 - first)?.state === 'running' && scene.world.broker(3 - first)!.replicas.byName('a', 0)?.leads === true
    await scene.world.runUntil('the leader again', leads, 20_000)
    expect([await send(2), await send(3)]).toEqual([2, 3])
  })
})
