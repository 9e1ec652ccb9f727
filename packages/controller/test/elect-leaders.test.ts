// ElectLeaders, as Apache Kafka 4.4 answers it: who is elected, who is not, and why.
import { Errors } from '@faultline/protocol'
import { describe, expect, it } from 'vitest'
import { planElectLeaders } from '../src/plan/elect-leaders.ts'
import { broker, type ClusterOptions, partition, TestCluster } from './cluster.ts'

const PREFERRED = 0
const UNCLEAN = 1
const OFFLINE = { leader: -1, isr: [] }

type Topics = { topic: string; partitions: number[] }[] | null

function elect(cluster: TestCluster, electionType: number, topicPartitions: Topics, version = 2) {
  return cluster.apply(planElectLeaders(cluster.context, { electionType, topicPartitions, timeoutMs: 1000 }, version))
}

/** "0 NONE: null" of each partition of the topic "a". */
function outcomes(response: ReturnType<typeof elect>): string[] {
  return response.replicaElectionResults!.flatMap(({ partitionResult }) =>
    partitionResult!.map(({ partitionId, errorCode, errorMessage }) => `${partitionId} ${errorCode}: ${errorMessage}`),
  )
}

const all = [{ topic: 'a', partitions: [0, 1, 2] }]
const UNNEEDED = `${Errors.ELECTION_NOT_NEEDED}: Leader election not needed for topic partition.`
const NOT_PREFERRED = `${Errors.PREFERRED_LEADER_NOT_AVAILABLE}: The preferred leader was not available.`
const NOBODY = `${Errors.ELIGIBLE_LEADERS_NOT_AVAILABLE}: Eligible topic partition leaders are not available.`
const DONE = `${Errors.NONE}: null`

describe('a preferred election', () => {
  const options: ClusterOptions = {
    partitions: [partition({ leader: 2 }), partition(), partition({ leader: 2, isr: [2, 3] })],
  }

  it('is for those whose first replica is in the ISR and does not lead', () => {
    const cluster = new TestCluster(options)
    expect(outcomes(elect(cluster, PREFERRED, all))).toEqual([`0 ${DONE}`, `1 ${UNNEEDED}`, `2 ${NOT_PREFERRED}`])
    expect([0, 1, 2].map((i) => cluster.partition(i).leader)).toEqual([1, 1, 2])
    expect([0, 1, 2].map((i) => cluster.partition(i).leaderEpoch)).toEqual([6, 5, 5])
    expect(outcomes(elect(cluster, PREFERRED, all))[0]).toBe(`0 ${UNNEEDED}`)
  })

  it.each([{ fenced: true }, { inControlledShutdown: true }])('does not take a broker that is %j', (state) => {
    const brokers = [broker(1, state), broker(2), broker(3)]
    const cluster = new TestCluster({ brokers, partitions: [partition({ leader: 2 })] })
    expect(outcomes(elect(cluster, PREFERRED, [{ topic: 'a', partitions: [0] }]))).toEqual([`0 ${NOT_PREFERRED}`])
  })

  it('takes whoever may lead where nobody does', () => {
    const brokers = [broker(1, { fenced: true }), broker(2), broker(3)]
    const partitions = [partition({ ...OFFLINE, elr: [1, 3] }), partition({ ...OFFLINE, lastKnownElr: [2] }), partition(OFFLINE)]
    const cluster = new TestCluster({ brokers, partitions, configs: { 'unclean.leader.election.enable': 'true' } })
    expect(outcomes(elect(cluster, PREFERRED, all))).toEqual([`0 ${DONE}`, `1 ${DONE}`, `2 ${NOT_PREFERRED}`])
    expect([0, 1, 2].map((i) => cluster.brief(i))).toEqual(['3 isr 3 elr 1 last ', '2 isr 2 elr  last ', '-1 isr  elr  last '])
  })
})

describe('an unclean election', () => {
  const fencedFirst = [broker(1, { fenced: true }), broker(2), broker(3)]

  it('takes the first live replica, whatever the topic says, and it must recover', () => {
    const offline = partition({ ...OFFLINE, elr: [1], lastKnownElr: [1] })
    const cluster = new TestCluster({ brokers: fencedFirst, partitions: [offline, partition({ leader: 2 })] })
    expect(outcomes(elect(cluster, UNCLEAN, [{ topic: 'a', partitions: [0, 1] }]))).toEqual([`0 ${DONE}`, `1 ${UNNEEDED}`])
    expect(cluster.brief()).toBe('2 isr 2 elr  last ')
    expect(cluster.partition()).toMatchObject({ leaderRecoveryState: 1, leaderEpoch: 6 })
  })

  it('is a clean one as long as somebody is eligible', () => {
    const cluster = new TestCluster({ brokers: fencedFirst, partitions: [partition({ ...OFFLINE, elr: [1, 3] })] })
    expect(outcomes(elect(cluster, UNCLEAN, null))).toEqual([`0 ${DONE}`])
    expect(cluster.brief()).toBe('3 isr 3 elr 1 last ')
    expect(cluster.partition().leaderRecoveryState).toBe(0)
  })

  it('without ELR it takes who is left, too', () => {
    const offline = partition({ leader: -1, isr: [1] })
    const cluster = new TestCluster({ brokers: fencedFirst, partitions: [offline], elr: false })
    expect(outcomes(elect(cluster, UNCLEAN, null))).toEqual([`0 ${DONE}`])
    expect(cluster.brief()).toBe('2 isr 2 elr  last ')
  })

  it('has nobody to take while no replica lives', () => {
    const brokers = [1, 2, 3].map((id) => broker(id, { fenced: true }))
    const cluster = new TestCluster({ brokers, partitions: [partition({ ...OFFLINE, elr: [1], lastKnownElr: [1] })] })
    expect(outcomes(elect(cluster, UNCLEAN, null))).toEqual([`0 ${NOBODY}`])
    expect(outcomes(elect(cluster, PREFERRED, null))).toEqual([`0 ${NOT_PREFERRED}`])
  })
})

describe('the answer', () => {
  const cluster = () => new TestCluster({ partitions: [partition({ leader: 2 }), partition()] })

  it('for all leaves out what needed no election, and keeps the topic', () => {
    expect(elect(cluster(), PREFERRED, null)).toEqual({
      replicaElectionResults: [{ topic: 'a', partitionResult: [{ partitionId: 0, errorCode: 0, errorMessage: null }] }],
    })
    expect(elect(cluster(), UNCLEAN, null)).toEqual({ replicaElectionResults: [{ topic: 'a', partitionResult: [] }] })
  })

  it('says what is not there, and judges each item by itself', () => {
    const asked = [
      { topic: 'a', partitions: [7, 0, -1] },
      { topic: 'b', partitions: [0] },
      { topic: 'a', partitions: [] },
    ]
    const unknown = Errors.UNKNOWN_TOPIC_OR_PARTITION
    expect(outcomes(elect(cluster(), PREFERRED, asked))).toEqual([
      `7 ${unknown}: No such partition as a-7`,
      `0 ${DONE}`,
      `-1 ${unknown}: No such partition as a--1`,
      `0 ${unknown}: No such topic as b`,
    ])
  })

  it('refuses a type of election that there is not, unless nothing is asked for', () => {
    const refused = elect(cluster(), 5, [{ topic: 'a', partitions: [0] }])
    expect(refused.errorCode).toBe(Errors.INVALID_REQUEST)
    expect(outcomes(refused)).toEqual([`0 ${Errors.INVALID_REQUEST}: Unknown election type 5`])
    expect(elect(cluster(), -1, null)).toEqual({ errorCode: Errors.INVALID_REQUEST, replicaElectionResults: [] })
    expect(elect(cluster(), -1, [])).toEqual({ replicaElectionResults: [] })
  })

  it('refuses more changes than one request may make, which its first version cannot say of all', () => {
    const many = () => new TestCluster({ partitions: Array.from({ length: 10_001 }, () => partition({ leader: 2 })) })
    const refused = many()
    expect(elect(refused, PREFERRED, null)).toEqual({ errorCode: Errors.POLICY_VIOLATION, replicaElectionResults: [] })
    expect(refused.partition().leader).toBe(2)
    expect(elect(many(), PREFERRED, null, 0)).toEqual({ replicaElectionResults: [] })
    const asked = [{ topic: 'a', partitions: Array.from({ length: 10_000 }, (_, i) => i) }]
    expect(outcomes(elect(many(), PREFERRED, asked)).every((line) => line.endsWith(DONE))).toBe(true)
  })
})
