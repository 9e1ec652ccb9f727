// Fetch sessions as KIP-227 has them: who may go on, with what, and what an answer then carries.
import { Errors, fetch, type RequestInput } from '@faultline/protocol'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Scene } from './scene.ts'

type Request = RequestInput<typeof fetch>

let scene: Scene
let ids: Record<string, string>

beforeAll(async () => {
  scene = await Scene.start({ settings: { 'max.incremental.fetch.session.cache.slots': '2' } })
  ids = { a: await scene.createTopic('a', 2), b: await scene.createTopic('b') }
  await scene.produce('a', ['a0'])
})

async function ask(request: Request, version = 12) {
  const reply = await scene.ask(fetch, version, { maxWaitMs: 0, minBytes: 0, ...request })
  const named = reply.responses.flatMap((t) => t.partitions.map((p) => `${t.topic}-${p.partitionIndex}`))
  return { ...reply, named }
}

const wants = (topic: string, partition = 0, fetchOffset = 0) => ({
  topic,
  topicId: ids[topic]!,
  partitions: [{ partition, fetchOffset, partitionMaxBytes: 1_000_000 }],
})

async function open(...topics: ReturnType<typeof wants>[]): Promise<number> {
  const { sessionId, errorCode } = await ask({ sessionId: 0, sessionEpoch: 0, topics })
  expect(errorCode).toBe(Errors.NONE)
  expect(sessionId).toBeGreaterThan(0)
  return sessionId
}

beforeEach(async () => {
  // Idle for longer than two minutes, a session gives its slot away.
  await scene.pass(130_000)
})

describe('a fetch session', () => {
  it('begins with a full fetch, and answers then only what is new', async () => {
    const sessionId = await open(wants('a'), wants('a', 1), wants('b'))
    expect((await ask({ sessionId, sessionEpoch: 1, topics: [wants('a', 0, 1)] })).named).toEqual([])
    await scene.produce('b', ['b0'])
    const third = await ask({ sessionId, sessionEpoch: 2 })
    expect(third.named).toEqual(['b-0'])
    expect(third.sessionId).toBe(sessionId)
  })

  it('names what has records again, until the client moves on', async () => {
    const sessionId = await open(wants('a'))
    expect((await ask({ sessionId, sessionEpoch: 1 })).named).toEqual(['a-0'])
    expect((await ask({ sessionId, sessionEpoch: 2, topics: [wants('a', 0, 1)] })).named).toEqual([])
  })

  it('that an older version goes on with is not told of divergence, which it cannot read', async () => {
    const ahead = { ...wants('a'), partitions: [{ partition: 0, fetchOffset: 1, lastFetchedEpoch: 0, partitionMaxBytes: 1000 }] }
    const sessionId = await open(ahead)
    const stale = { ...ahead, partitions: [{ ...ahead.partitions[0]!, fetchOffset: 9 }] }
    const told = await ask({ sessionId, sessionEpoch: 1, topics: [stale] })
    expect(told.responses[0]!.partitions[0]!.divergingEpoch.epoch).toBe(0)
    const { errorCode } = (await ask({ sessionId, sessionEpoch: 2 }, 8)).responses[0]!.partitions[0]!
    expect(errorCode).toBe(Errors.OFFSET_OUT_OF_RANGE)
  })

  it('takes partitions in, and forgets them', async () => {
    const sessionId = await open(wants('b', 0, 0))
    expect((await ask({ sessionId, sessionEpoch: 1, topics: [wants('a')] })).named).toContain('a-0')
    const forgottenTopicsData = [{ topic: 'a', partitions: [0] }]
    expect((await ask({ sessionId, sessionEpoch: 2, forgottenTopicsData })).named).not.toContain('a-0')
  })

  it('ends when nothing is left in it', async () => {
    const sessionId = await open(wants('a'))
    const last = await ask({ sessionId, sessionEpoch: 1, forgottenTopicsData: [{ topic: 'a', partitions: [0] }] })
    expect(last).toMatchObject({ errorCode: Errors.NONE, sessionId: 0, named: [] })
    expect((await ask({ sessionId, sessionEpoch: 2 })).errorCode).toBe(Errors.FETCH_SESSION_ID_NOT_FOUND)
  })

  it('tells an error each time', async () => {
    const sessionId = await open(wants('a', 0, 1000))
    for (const sessionEpoch of [1, 2]) {
      const reply = await ask({ sessionId, sessionEpoch })
      expect(reply.responses[0]!.partitions[0]!.errorCode).toBe(Errors.OFFSET_OUT_OF_RANGE)
    }
  })

  it('wants its epochs in order', async () => {
    const sessionId = await open(wants('a'))
    expect((await ask({ sessionId, sessionEpoch: 2 })).errorCode).toBe(Errors.INVALID_FETCH_SESSION_EPOCH)
    expect((await ask({ sessionId, sessionEpoch: 1 })).errorCode).toBe(Errors.NONE)
    expect((await ask({ sessionId, sessionEpoch: 1 })).errorCode).toBe(Errors.INVALID_FETCH_SESSION_EPOCH)
    expect((await ask({ sessionId: sessionId + 1, sessionEpoch: 1 })).errorCode).toBe(Errors.FETCH_SESSION_ID_NOT_FOUND)
  })

  it('is of names or of ids', async () => {
    const sessionId = await open(wants('a'))
    const reply = await ask({ sessionId, sessionEpoch: 1, topics: [wants('a')] }, 13)
    expect(reply).toMatchObject({ errorCode: Errors.FETCH_SESSION_TOPIC_ID_ERROR, sessionId: 0 })
  })

  it('ends with the final epoch, and another begins with epoch 0', async () => {
    const first = await open(wants('a'))
    const second = await ask({ sessionId: first, sessionEpoch: 0, topics: [wants('a')] })
    expect(second.sessionId).not.toBe(first)
    expect((await ask({ sessionId: first, sessionEpoch: 1 })).errorCode).toBe(Errors.FETCH_SESSION_ID_NOT_FOUND)
    const closing = await ask({ sessionId: second.sessionId, sessionEpoch: -1, topics: [wants('a')] })
    expect(closing).toMatchObject({ sessionId: 0, named: ['a-0'] })
    expect((await ask({ sessionId: second.sessionId, sessionEpoch: 1 })).errorCode).toBe(Errors.FETCH_SESSION_ID_NOT_FOUND)
  })

  it('is not to be had when every slot is in use; idle ones are given away', async () => {
    const first = await open(wants('a'))
    await open(wants('a'))
    expect((await ask({ sessionId: 0, sessionEpoch: 0, topics: [wants('a')] })).sessionId).toBe(0)
    await scene.pass(130_000)
    await open(wants('b'))
    expect((await ask({ sessionId: first, sessionEpoch: 1 })).errorCode).toBe(Errors.FETCH_SESSION_ID_NOT_FOUND)
  })
})
