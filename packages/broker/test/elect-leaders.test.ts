// Elections that a client asks for, over the wire: preferred ones, and unclean ones with what they cost (KIP-460, KIP-966).
import {
  buildBatch,
  describeTopicPartitions,
  electLeaders,
  Errors,
  incrementalAlterConfigs,
  offsetForLeaderEpoch,
  produce,
} from '@faultline/protocol'
import { QUICK_FAILURES } from '@faultline/sim'
import { describe, expect, it } from 'vitest'
import { Scene } from './scene.ts'

const PREFERRED = 0
const UNCLEAN = 1
const ELSEWHERE_MS = 30_000

class Elections {
  readonly scene: Scene

  private constructor(scene: Scene) {
    this.scene = scene
  }

  /** A topic "a" with one partition on all three brokers. */
  static async start(seed = 1, settings: Record<string, string> = {}, configs: Record<string, string> = {}): Promise<Elections> {
    const scene = await Scene.start({ brokers: 3, seed, settings: { ...QUICK_FAILURES, ...settings } })
    await scene.createTopic('a', 1, 3, configs)
    return new Elections(scene)
  }

  get partition() {
    return this.scene.world.image!.topicsByName.get('a')!.partitions[0]!
  }

  /** The first replica in the order of the assignment that is not `id`. */
  other(id: number): number {
    return this.partition.replicas.find((replica) => replica !== id)!
  }

  async until(what: string, condition: () => boolean): Promise<void> {
    await this.scene.world.runUntil(what, condition, ELSEWHERE_MS)
  }

  async elect(electionType: number, broker: number, version = 2, timeoutMs = 10_000): Promise<number> {
    const type = version >= 1 ? { electionType } : {}
    const request = { ...type, topicPartitions: [{ topic: 'a', partitions: [0] }], timeoutMs }
    const { replicaElectionResults } = await this.scene.ask(electLeaders, version, request, broker)
    return replicaElectionResults[0]!.partitionResult[0]!.errorCode
  }

  /** Acknowledged by the leader alone. */
  async produce(...values: string[]): Promise<number> {
    const records = buildBatch(values.map((value) => ({ key: null, value: Buffer.from(value), timestamp: 1_700_000_000_000 })))
    const topicData = [{ name: 'a', partitionData: [{ index: 0, records }] }]
    const reply = await this.scene.ask(produce, 12, { acks: 1, timeoutMs: 5000, topicData }, this.partition.leader)
    return reply.responses[0]!.partitionResponses[0]!.errorCode
  }

  log(broker: number) {
    return this.scene.world.broker(broker)!.replicas.byName('a', 0)!.log
  }

  /** The leader goes on alone, takes `values`, and dies: nobody who lives is in the ISR. Returns it. */
  async loseLeader(...values: string[]): Promise<number> {
    const { world } = this.scene
    const leader = this.partition.leader
    for (const id of world.brokerIds) world.peers.cut(leader, id, 'replication')
    // A follower that misses nothing is in sync for ever.
    expect(await this.produce(...values)).toBe(Errors.NONE)
    await this.until('an ISR of one', () => this.partition.isr.join() === String(leader))
    world.crash(leader)
    world.peers.heal()
    await this.until('an offline partition', () => this.partition.leader === -1)
    return leader
  }

  async describe(broker: number) {
    const { topics } = await this.scene.ask(describeTopicPartitions, 0, { topics: [{ name: 'a' }] }, broker)
    return topics[0]!.partitions[0]!
  }
}

describe('a preferred election', () => {
  it.each([0, 1, 2])('brings the first replica back (version %i)', async (version) => {
    const elections = await Elections.start(1, { 'auto.leader.rebalance.enable': 'false' })
    const { world } = elections.scene
    const first = elections.partition.replicas[0]!
    expect(await elections.elect(PREFERRED, first, version)).toBe(Errors.ELECTION_NOT_NEEDED)
    world.crash(first)
    await elections.until('another leader', () => elections.partition.leader !== first && elections.partition.leader >= 0)
    const asked = elections.other(first)
    expect(await elections.elect(PREFERRED, asked, version)).toBe(Errors.PREFERRED_LEADER_NOT_AVAILABLE)
    world.startBroker(first)
    await elections.until('a full ISR', () => elections.partition.isr.length === 3)
    expect(await elections.elect(PREFERRED, asked, version)).toBe(Errors.NONE)
    expect(elections.partition.leader).toBe(first)
  })

  it('comes by itself, as often as the controllers check', async () => {
    const elections = await Elections.start(1, { 'leader.imbalance.check.interval.seconds': '60' })
    const { world } = elections.scene
    const first = elections.partition.replicas[0]!
    world.crash(first)
    await elections.until('another leader', () => elections.partition.leader !== first && elections.partition.leader >= 0)
    world.startBroker(first)
    await elections.until('a full ISR', () => elections.partition.isr.length === 3)
    expect(elections.partition.leader).not.toBe(first)
    await elections.scene.pass(60_000)
    expect(elections.partition.leader).toBe(first)
  })

  it('is not begun when there is no time for it', async () => {
    const elections = await Elections.start()
    const { leader } = elections.partition
    expect(await elections.elect(PREFERRED, leader, 2, 0)).toBe(Errors.REQUEST_TIMED_OUT)
    expect(await elections.elect(PREFERRED, leader, 2, -1)).toBe(Errors.REQUEST_TIMED_OUT)
  })

  it('says that no controller answers, in every version', async () => {
    const elections = await Elections.start()
    elections.scene.world.crash(101)
    for (const version of [0, 1, 2]) {
      const type = version >= 1 ? { electionType: UNCLEAN } : {}
      const request = { ...type, topicPartitions: [{ topic: 'a', partitions: [0] }], timeoutMs: 500 }
      const { errorCode, replicaElectionResults } = await elections.scene.ask(electLeaders, version, request)
      expect(errorCode).toBe(version >= 1 ? Errors.REQUEST_TIMED_OUT : Errors.NONE)
      const timedOut = { partitionId: 0, errorCode: Errors.REQUEST_TIMED_OUT, errorMessage: null }
      expect(replicaElectionResults).toEqual([{ topic: 'a', partitionResult: [timedOut] }])
    }
  })
})

describe('a partition without a leader', () => {
  it.each([1, 2, 3, 4, 5])('loses what its last leader alone had when another is elected unclean (seed %i)', async (seed) => {
    const elections = await Elections.start(seed)
    const { scene } = elections
    expect(await elections.produce('kept')).toBe(Errors.NONE)
    await elections.until('replicas', () => scene.world.brokerIds.every((id) => elections.log(id).logEndOffset === 1))
    const old = await elections.loseLeader('lost', 'lost too')
    const asked = elections.other(old)
    await elections.until('the metadata', () => scene.world.broker(asked)!.leaderOf('a', 0)?.leaderId === -1)
    expect(await elections.describe(asked)).toMatchObject({
      errorCode: Errors.NONE,
      leaderId: -1,
      isrNodes: [],
      eligibleLeaderReplicas: [old],
      lastKnownElr: [old],
    })
    expect(await elections.elect(PREFERRED, asked)).toBe(Errors.PREFERRED_LEADER_NOT_AVAILABLE)
    expect(await elections.elect(UNCLEAN, asked)).toBe(Errors.NONE)
    const { leader, isr, leaderRecoveryState, leaderEpoch } = elections.partition
    expect({ leader, isr, leaderRecoveryState }).toEqual({ leader: asked, isr: [asked], leaderRecoveryState: 1 })
    await elections.until('its leader', () => scene.world.broker(leader)!.replicas.byName('a', 0)!.leads)

    // A consumer that had read everything: it is told where its log parts from the new one, or that it is out of range.
    const told = { topic: 'a', partitions: [{ partition: 0, currentLeaderEpoch: leaderEpoch, leaderEpoch: leaderEpoch - 2 }] }
    const { topics } = await scene.ask(offsetForLeaderEpoch, 4, { replicaId: -1, topics: [told] }, leader)
    expect(topics[0]!.partitions[0]).toMatchObject({ errorCode: Errors.NONE, leaderEpoch: leaderEpoch - 2, endOffset: 1 })
    expect((await scene.fetch('a', 3)).errorCode).toBe(Errors.OFFSET_OUT_OF_RANGE)
    expect(await elections.elect(UNCLEAN, asked)).toBe(Errors.ELECTION_NOT_NEEDED)
    expect(await elections.produce('after')).toBe(Errors.NONE)

    scene.world.startBroker(old)
    await elections.until('a full ISR', () => elections.partition.isr.length === 3)
    expect(elections.partition.leaderRecoveryState).toBe(0)
    const truncated = scene.world.events.filter((e) => e.event === 'replica.truncate' && e.node === `broker:${old}`)
    expect(truncated.map(({ fields }) => [fields['from'], fields['to']])).toEqual([[3, 1]])
    expect(scene.world.brokerIds.map((id) => elections.log(id).logEndOffset)).toEqual([2, 2, 2])
  })

  it('tells of it: an event that says unclean, and the counts of the controller', async () => {
    const elections = await Elections.start()
    const old = await elections.loseLeader('lost')
    expect(await elections.elect(UNCLEAN, elections.other(old))).toBe(Errors.NONE)
    const changes = elections.scene.world.events.filter((e) => e.event === 'partition.change')
    expect(changes.filter(({ fields }) => fields['unclean']).map(({ fields }) => fields['leader'])).toEqual([
      elections.other(old),
    ])
    expect(elections.scene.world.activeController!.status().elections).toMatchObject({ all: 1, unclean: 1, fromElr: 0 })
  })

  it('gets its last leader back when that one returns: unclean, as a crash may have cost it its tail, and nothing is lost', async () => {
    const elections = await Elections.start()
    const old = await elections.loseLeader('there')
    const { world } = elections.scene
    world.startBroker(old)
    await elections.until('its return', () => elections.partition.leader === old)
    expect(elections.partition.leaderRecoveryState).toBe(1)
    expect(elections.log(old).logEndOffset).toBe(1)
    const { fields } = world.events.filter((e) => e.event === 'partition.change' && e.fields['elected']).at(-1)!
    expect(fields).toMatchObject({ leader: old, unclean: true })
  })

  it('gets one when the topic comes to allow it, with the next check', async () => {
    const elections = await Elections.start(1, { 'unclean.leader.election.interval.ms': '60000' })
    const old = await elections.loseLeader('lost')
    const asked = elections.other(old)
    const configs = [{ name: 'unclean.leader.election.enable', configOperation: 0, value: 'true' }]
    const resources = [{ resourceType: 2, resourceName: 'a', configs }]
    const { responses } = await elections.scene.ask(incrementalAlterConfigs, 1, { resources, validateOnly: false }, asked)
    expect(responses[0]!.errorCode).toBe(Errors.NONE)
    expect(elections.partition.leader).toBe(-1)
    await elections.scene.world.runUntil('a leader', () => elections.partition.leader >= 0, 60_000)
    expect(elections.partition).toMatchObject({ leader: asked, isr: [asked], leaderRecoveryState: 1 })
  })

  it('gets one at once where it was allowed before', async () => {
    const elections = await Elections.start(1, {}, { 'unclean.leader.election.enable': 'true' })
    const { world } = elections.scene
    const leader = elections.partition.leader
    for (const id of world.brokerIds) world.peers.cut(leader, id, 'replication')
    expect(await elections.produce('lost')).toBe(Errors.NONE)
    await elections.until('an ISR of one', () => elections.partition.isr.join() === String(leader))
    world.crash(leader)
    world.peers.heal()
    await elections.until('a new leader', () => elections.partition.leader !== leader)
    expect(elections.partition).toMatchObject({ leader: elections.other(leader), leaderRecoveryState: 1 })
  })
})
