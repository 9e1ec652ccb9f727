// What an administrator sees of groups and transactions on a simulated cluster, also while a broker is gone.
import { KafkaError, persist, positionsOf, reportGroups, reportTransactions } from '@faultline/client'
import {
  addPartitionsToTxn,
  buildBatch,
  encodeAssignment,
  encodeSubscription,
  Errors,
  findCoordinator,
  initProducerId,
  joinGroup,
  offsetCommit,
  produce,
  syncGroup,
} from '@faultline/protocol'
import { beforeEach, describe, expect, it } from 'vitest'
import { Scene } from '../../broker/test/scene.ts'

const GROUP = 0
const TRANSACTION = 1
const PATIENCE_MS = 20_000

const SETTINGS = {
  'group.initial.rebalance.delay.ms': '0',
  'offsets.topic.num.partitions': '4',
  'offsets.topic.replication.factor': '2',
  'transaction.state.log.num.partitions': '4',
  'transaction.state.log.replication.factor': '2',
}

let scene: Scene
beforeEach(async () => {
  scene = await Scene.start({ brokers: 2, settings: SETTINGS })
  await scene.createTopic('orders', 2, 2)
})

function look<T>(ask: (client: ReturnType<typeof scene.world.client>) => Promise<T>): Promise<T> {
  const client = scene.world.client('admin')
  return scene.settle(persist(client, PATIENCE_MS, () => ask(client)))
}

async function coordinator(keyType: number, key: string): Promise<number> {
  for (;;) {
    const [found] = (await scene.ask(findCoordinator, 6, { keyType, coordinatorKeys: [key] })).coordinators
    if (found!.errorCode === Errors.NONE) return found!.nodeId
    await scene.pass(100)
  }
}

async function commit(groupId: string, offset: number, member = { memberId: '', generation: -1 }): Promise<number> {
  const broker = await coordinator(GROUP, groupId)
  const partitions = [{ partitionIndex: 0, committedOffset: offset, committedMetadata: '' }]
  for (;;) {
    const request = { groupId, generationIdOrMemberEpoch: member.generation, memberId: member.memberId }
    const reply = await scene.ask(offsetCommit, 9, { ...request, topics: [{ name: 'orders', partitions }] }, broker)
    if (reply.topics[0]!.partitions[0]!.errorCode === Errors.NONE) return broker
    await scene.pass(100)
  }
}

/** The one member of a group, to which both partitions are assigned. */
async function member(groupId: string): Promise<{ memberId: string; generation: number }> {
  const broker = await coordinator(GROUP, groupId)
  const metadata = encodeSubscription({ topics: ['orders'], userData: null })
  const join = { groupId, sessionTimeoutMs: 60_000, rebalanceTimeoutMs: 60_000, protocolType: 'consumer' }
  let memberId = ''
  for (;;) {
    const request = { ...join, memberId, groupInstanceId: 'first', protocols: [{ name: 'range', metadata }] }
    const joined = await scene.ask(joinGroup, 9, request, broker)
    memberId = joined.memberId
    if (joined.errorCode === Errors.NONE) {
      const assignment = encodeAssignment({ assignedPartitions: [{ topic: 'orders', partitions: [0, 1] }], userData: null })
      const generationId = joined.generationId
      const names = { protocolType: 'consumer', protocolName: 'range', groupInstanceId: 'first' }
      await scene.ask(
        syncGroup,
        5,
        { groupId, generationId, memberId, ...names, assignments: [{ memberId, assignment }] },
        broker,
      )
      return { memberId, generation: generationId }
    }
    await scene.pass(100)
  }
}

describe('groups', () => {
  it('are none before there is a consumer', async () => {
    expect(await look(reportGroups)).toEqual({ answers: [], silent: [] })
    expect(scene.world.image!.topicsByName.has('__consumer_offsets')).toBe(false)
  })

  it('are reported with members, positions and lag', async () => {
    await scene.produce('orders', ['a', 'b', 'c'])
    await scene.produce('orders', ['d'], {}, 1)
    const one = await member('processor')
    const broker = await commit('processor', 1, one)
    const { answers, silent } = await look(reportGroups)
    expect(silent).toEqual([])
    expect(answers).toEqual([
      {
        groupId: 'processor',
        type: 'classic',
        protocolType: 'consumer',
        state: 'Stable',
        coordinator: broker,
        description: {
          state: 'Stable',
          assignor: 'range',
          members: [
            {
              memberId: one.memberId,
              instanceId: 'first',
              clientId: 'test',
              host: expect.any(String),
              assigned: [
                { topic: 'orders', partition: 0 },
                { topic: 'orders', partition: 1 },
              ],
              target: null,
              epoch: null,
            },
          ],
          epochs: null,
        },
        positions: [
          { topic: 'orders', partition: 0, committed: 1, end: 3, lag: 2, owner: one.memberId },
          { topic: 'orders', partition: 1, committed: null, end: 1, lag: null, owner: one.memberId },
        ],
        lag: 2,
      },
    ])
  })

  it('that only hold offsets are simple', async () => {
    await scene.produce('orders', ['a', 'b'])
    await commit('exporter', 1)
    expect((await look(reportGroups)).answers).toMatchObject([{ groupId: 'exporter', type: 'simple', state: 'Empty', lag: 1 }])
  })

  it('of a broker that does not answer are missing, and it is named', async () => {
    const broker = await commit('exporter', 1)
    scene.world.crash(broker)
    const { answers, silent } = await look(reportGroups)
    expect(answers).toEqual([])
    expect(silent).toEqual([{ broker, reason: 'does not answer' }])
  })

  it('come back with the next coordinator, and ends with the next leaders, whoever is asked first', async () => {
    await scene.produce('orders', ['a', 'b', 'c'])
    const broker = await commit('exporter', 1)
    scene.world.crash(broker)
    const found = async () => (await look(reportGroups)).answers
    while ((await found()).length === 0) await scene.pass(500)
    await scene.pass(10_000)
    for (let asked = 0; asked < 4; asked++) {
      const { answers } = await look(async (client) => {
        for (let i = 0; i < asked; i++) await client.brokers().catch(() => [])
        return reportGroups(client)
      })
      expect(answers).toMatchObject([{ groupId: 'exporter', coordinator: 3 - broker, lag: 2 }])
    }
  })
})

describe('transactions', () => {
  it('are reported with where they are open', async () => {
    const transactionalId = 'processor-1'
    const broker = await coordinator(TRANSACTION, transactionalId)
    const started = async () => {
      const fresh = { transactionalId, transactionTimeoutMs: 30_000, producerId: -1, producerEpoch: -1 }
      const reply = await scene.ask(initProducerId, 4, fresh, broker)
      return reply.errorCode === Errors.NONE ? reply : undefined
    }
    let producer = await started()
    while (!producer) {
      await scene.pass(100)
      producer = await started()
    }
    const { producerId, producerEpoch } = producer
    const idle = { transactionalId, coordinator: broker, state: 'Empty', producerId, producerEpoch, openMs: null, partitions: [] }
    expect((await look(reportTransactions)).answers).toMatchObject([idle])

    await scene.produce('orders', ['before'])
    await scene.ask(
      addPartitionsToTxn,
      3,
      {
        v3AndBelowTransactionalId: transactionalId,
        v3AndBelowProducerId: producerId,
        v3AndBelowProducerEpoch: producerEpoch,
        v3AndBelowTopics: [{ name: 'orders', partitions: [0, 1] }],
      },
      broker,
    )
    const batch = { producerId, producerEpoch, baseSequence: 0, transactional: true }
    const records = buildBatch([{ key: null, value: Buffer.from('inside'), timestamp: 1 }], batch)
    const topicData = [{ name: 'orders', partitionData: [{ index: 0, records }] }]
    const written = await scene.ask(
      produce,
      11,
      { transactionalId, acks: -1, timeoutMs: 1000, topicData },
      scene.leaderOf('orders'),
    )
    expect(written.responses[0]!.partitionResponses[0]).toMatchObject({ errorCode: Errors.NONE, baseOffset: 1 })
    await scene.pass(1000)
    const [open] = (await look(reportTransactions)).answers
    expect(open).toMatchObject({ ...idle, state: 'Ongoing', timeoutMs: 30_000, openMs: expect.any(Number), partitions: [{}, {}] })
    expect(open!.openMs).toBeGreaterThanOrEqual(1000)
    expect(await look((client) => positionsOf(client, open!))).toEqual([
      { topic: 'orders', partition: 0, startOffset: 1 },
      { topic: 'orders', partition: 1, startOffset: null },
    ])
  })
})

describe('an administrator', () => {
  it('is patient with what passes, and not with anything else', async () => {
    const client = scene.world.client('admin')
    let tries = 0
    const fails = (code: number) => async () => {
      tries++
      throw new KafkaError(code, 'it failed')
    }
    await expect(scene.settle(persist(client, 1000, fails(Errors.COORDINATOR_LOAD_IN_PROGRESS)))).rejects.toThrow(
      'COORDINATOR_LOAD_IN_PROGRESS: it failed',
    )
    expect(tries).toBe(10)
    tries = 0
    await expect(scene.settle(persist(client, 1000, fails(Errors.GROUP_ID_NOT_FOUND)))).rejects.toThrow(KafkaError)
    expect(tries).toBe(1)
  })
})
