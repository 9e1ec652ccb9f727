// What a client sees of faults of disks.
import type { FaultRequestInput } from '@faultline/director'
import { checkBatch, Errors, fetch } from '@faultline/protocol'
import { expect } from 'vitest'
import { until, withAdmin } from '../support/cluster.ts'
import { msOf, produceTo, type Stage } from './stage.ts'
import type { Stories, Story } from './story.ts'

function endsBroker(kind: string, parameters: FaultRequestInput['with'] = {}): Story {
  return {
    seen: 'the broker ends, and the others go on',
    async show(stage) {
      const { follower } = await stage.leaderAndFollower('orders-0')
      await stage.hit(await stage.add('storage', kind, { node: follower, where: { file: 'log' }, with: parameters }))
      await stage.becomes(follower, /^stopped \(exit code 78\)$/)
      await stage.traffic.more(10)
    },
  }
}

/** A topic that is on one broker alone, for as long as `work` takes. */
async function onOne(stage: Stage, topic: string, work: (broker: string) => Promise<void>): Promise<void> {
  await withAdmin(stage.probe, async (admin) => {
    await admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions: 1, replicationFactor: 1 }] })
    await work(`broker:${await stage.control.waitForLeader(`${topic}-0`)}`)
    await admin.deleteTopics({ topics: [topic] })
  })
}

async function isFlipped(stage: Stage, broker: string, topic: string): Promise<boolean> {
  return stage.onConnection(broker, async (connection) => {
    const topics = [{ topic, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 << 20 }] }]
    const { responses } = await connection.request(fetch, 12, { maxWaitMs: 0, topics })
    const { errorCode, records } = responses[0]!.partitions[0]!
    return errorCode === Errors.NONE && records ? checkBatch(records) !== undefined : errorCode === Errors.CORRUPT_MESSAGE
  })
}

export const STORAGE: Stories = {
  full: endsBroker('full'),
  'io-error': endsBroker('io-error', { operation: 'write' }),
  slow: {
    seen: 'the client waits',
    async show(stage) {
      const { leader } = await stage.leaderAndFollower()
      const slow = { where: { file: 'log', topic: 'probed' }, with: { operation: 'write', ms: 300 } }
      await stage.hitBy(await stage.add('storage', 'slow', { node: leader, ...slow }), async () =>
        expect(await msOf(() => stage.sendOnce())).toBeGreaterThan(290),
      )
    },
  },
  'torn-write': {
    seen: 'the broker dies in it, and cuts it off when it comes back',
    async show(stage) {
      const { leader } = await stage.leaderAndFollower('orders-0')
      await stage.hit(
        await stage.add('storage', 'torn-write', { node: leader, where: { file: 'log', topic: 'orders' }, count: 1 }),
      )
      await stage.becomes(leader, /SIGKILL/)
    },
  },
  'lose-unsynced': {
    seen: 'killed, the broker has lost what it acknowledged, and others have what is theirs',
    async show(stage) {
      await onOne(stage, 'unsynced', async (broker) => {
        const fault = await stage.add('storage', 'lose-unsynced', { node: broker, count: 1 })
        await stage.onConnection(broker, (c) => produceTo(c, 'unsynced', new Uint8Array(10)))
        await stage.traffic.more(10)
        await stage.control.act('kill', broker)
        await stage.control.act('restart', broker)
        await stage.becomes(broker, /^running$/)
        await stage.hit(fault)
        expect(await stage.viewOf(fault)).toMatchObject({ state: 'spent', hits: 1, lastHit: { node: broker } })
        await withAdmin(stage.probe, (admin) =>
          until('an empty log', async () => {
            const [end] = await admin.fetchTopicOffsets('unsynced').catch(() => [])
            return end?.high === '0'
          }),
        )
      })
    },
  },
  'bit-flip': {
    seen: 'nothing, until it is read from the disk',
    async show(stage) {
      await onOne(stage, 'flipped', async (broker) => {
        const where = { file: 'log', topic: 'flipped' }
        const fault = await stage.add('storage', 'bit-flip', { node: broker, where, count: 1 })
        await stage.hitBy(fault, () => stage.onConnection(broker, (c) => produceTo(c, 'flipped', new Uint8Array(10_000))))
        expect(await isFlipped(stage, broker, 'flipped')).toBe(false)
        await stage.control.act('restart', broker)
        await stage.becomes(broker, /^running$/)
        await until('what was flipped', () => isFlipped(stage, broker, 'flipped').catch(() => false))
      })
    },
  },
}
