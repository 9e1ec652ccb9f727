// Who leads when brokers come and go: ISR, then ELR, then the last known leader, then an unclean one if that is allowed (KIP-966).
import { Errors } from '@faultline/protocol'
import { describe, expect, it } from 'vitest'
import { planFencing } from '../src/plan/brokers.ts'
import { electLeaderless, electPreferred, electUnclean, removeFromIsrs } from '../src/plan/leadership.ts'
import { planAlterConfigs } from '../src/plan/alter-configs.ts'
import { broker, type ClusterOptions, partition, TestCluster } from './cluster.ts'

const MIN_2 = { configs: { 'min.insync.replicas': '2' } }

/** Fences brokers one after the other, then unfences others. */
function story(options: ClusterOptions, fenced: readonly number[], unfenced: readonly number[] = []): TestCluster {
  const cluster = new TestCluster(options)
  for (const id of fenced) cluster.replay(planFencing(cluster.context, id))
  for (const id of unfenced) unfence(cluster, id)
  return cluster
}

function unfence(cluster: TestCluster, id: number): void {
  const { epoch } = cluster.image.brokers.get(id)!
  const value = { brokerId: id, brokerEpoch: epoch, fenced: -1, inControlledShutdown: 0, logDirs: [], cordonedLogDirs: null }
  cluster.replay([{ type: 'BrokerRegistrationChangeRecord', value }, ...electLeaderless(cluster.context, id)])
}

describe('an election', () => {
  it('goes to the first live member of the ISR, in the order of the assignment', () => {
    const cluster = story({ partitions: [partition({ replicas: [1, 2, 3], isr: [1, 3, 2] })] }, [1])
    expect(cluster.brief()).toBe('2 isr 3,2 elr  last ')
    expect(cluster.partition()).toMatchObject({ leaderEpoch: 6, partitionEpoch: 10 })
  })

  it('does not happen when a follower goes; the leader epoch stays', () => {
    const cluster = story({ partitions: [partition()] }, [3])
    expect(cluster.brief()).toBe('1 isr 1,2 elr  last ')
    expect(cluster.partition()).toMatchObject({ leaderEpoch: 5, partitionEpoch: 10 })
  })

  it('passes over who is not in the ISR', () => {
    const cluster = story({ partitions: [partition({ isr: [1, 3] })] }, [1])
    expect(cluster.brief()).toBe('3 isr 3 elr  last ')
  })

  it('has nobody to elect when the ISR is gone: with ELR its members are eligible, without the last one stays', () => {
    expect(story({ partitions: [partition({ isr: [1] })] }, [1]).brief()).toBe('-1 isr  elr 1 last 1')
    expect(story({ partitions: [partition({ isr: [1] })], elr: false }, [1]).brief()).toBe('-1 isr 1 elr  last ')
  })
})

describe('eligible leader replicas', () => {
  it('are those that leave an ISR that is below its minimum', () => {
    const cluster = story({ partitions: [partition()], ...MIN_2 }, [3])
    expect(cluster.brief()).toBe('1 isr 1,2 elr  last ')
    cluster.replay(planFencing(cluster.context, 2))
    expect(cluster.brief()).toBe('1 isr 1 elr 2 last ')
    cluster.replay(planFencing(cluster.context, 1))
    expect(cluster.brief()).toBe('-1 isr  elr 1,2 last 1')
  })

  it('are elected when they come back, and lead alone, clean', () => {
    const cluster = story({ partitions: [partition()], ...MIN_2 }, [3, 2, 1], [2])
    expect(cluster.brief()).toBe('2 isr 2 elr 1 last ')
    expect(cluster.partition().leaderRecoveryState).toBe(0)
  })

  it('do not hold who was out of the ISR before', () => {
    const cluster = story({ partitions: [partition()], ...MIN_2 }, [3, 2, 1], [3])
    expect(cluster.brief()).toBe('-1 isr  elr 1,2 last 1')
  })

  it('lose who stopped without a clean shutdown', () => {
    const cluster = story({ partitions: [partition()], ...MIN_2 }, [3, 2])
    cluster.replay(removeFromIsrs(cluster.context, 2, true))
    expect(cluster.brief()).toBe('1 isr 1 elr  last ')
  })

  it('leave the last known leader, if nobody is eligible: elected unclean, it must recover', () => {
    const cluster = story({ partitions: [partition()], ...MIN_2 }, [3, 2, 1])
    cluster.replay(removeFromIsrs(cluster.context, 2, true))
    cluster.replay(removeFromIsrs(cluster.context, 1, true))
    expect(cluster.brief()).toBe('-1 isr  elr  last 1')
    unfence(cluster, 2)
    expect(cluster.brief()).toBe('-1 isr  elr  last 1')
    unfence(cluster, 1)
    expect(cluster.brief()).toBe('1 isr 1 elr  last ')
    expect(cluster.partition().leaderRecoveryState).toBe(1)
  })

  it('are nobody any more when the minimum changes: the ISR alone may have committed since', () => {
    const cluster = story({ partitions: [partition()], ...MIN_2 }, [3, 2])
    expect(cluster.brief()).toBe('1 isr 1 elr 2 last ')
    const configs = [{ name: 'min.insync.replicas', configOperation: 0, value: '1' }]
    const resources = [{ resourceType: 2, resourceName: 'a', configs }]
    cluster.apply(planAlterConfigs(cluster.context, { resources, validateOnly: false }))
    expect(cluster.brief()).toBe('1 isr 1 elr  last ')
    cluster.replay(planFencing(cluster.context, 1))
    unfence(cluster, 2)
    expect(cluster.brief()).toBe('-1 isr  elr 1 last 1')
  })

  it('are nobody any more when the minimum of the whole cluster changes', () => {
    const cluster = story({ partitions: [partition()], statics: { 'min.insync.replicas': '2' } }, [3, 2])
    expect(cluster.brief()).toBe('1 isr 1 elr 2 last ')
    const configs = [{ name: 'min.insync.replicas', configOperation: 0, value: '1' }]
    cluster.apply(
      planAlterConfigs(cluster.context, { resources: [{ resourceType: 4, resourceName: '', configs }], validateOnly: false }),
    )
    expect(cluster.brief()).toBe('1 isr 1 elr  last ')
  })
})

describe('min.insync.replicas', () => {
  const code = (elr: boolean, resourceName: string, configOperation: number) => {
    const cluster = new TestCluster({ elr })
    const configs = [{ name: 'min.insync.replicas', configOperation, value: '1' }]
    const resources = [{ resourceType: 4, resourceName, configs }]
    return cluster.apply(planAlterConfigs(cluster.context, { resources, validateOnly: false })).responses![0]!.errorCode
  }

  it('is one for all brokers while there are eligible leader replicas', () => {
    expect(code(true, '', 0)).toBe(Errors.NONE)
    expect(code(true, '', 1)).toBe(Errors.INVALID_CONFIG)
    expect(code(true, '1', 0)).toBe(Errors.INVALID_CONFIG)
    expect(code(false, '', 1)).toBe(Errors.NONE)
    expect(code(false, '1', 0)).toBe(Errors.NONE)
  })
})

describe('an unclean election', () => {
  const UNCLEAN = { configs: { 'unclean.leader.election.enable': 'true' } }

  it('happens where it is allowed, when nobody else is there', () => {
    const cluster = story({ partitions: [partition({ isr: [1] })], elr: false, ...UNCLEAN }, [1])
    expect(cluster.brief()).toBe('2 isr 2 elr  last ')
    expect(cluster.partition()).toMatchObject({ leaderRecoveryState: 1, leaderEpoch: 6 })
  })

  it('comes after the ELR', () => {
    const cluster = new TestCluster({
      partitions: [partition({ isr: [1], elr: [3] })],
      configs: { ...UNCLEAN.configs, 'min.insync.replicas': '2' },
    })
    cluster.replay(planFencing(cluster.context, 1))
    expect(cluster.brief()).toBe('3 isr 3 elr 1 last ')
    expect(cluster.partition().leaderRecoveryState).toBe(0)
  })
})

describe('an unclean election that came to be allowed', () => {
  const ALLOWED = 'unclean.leader.election.enable'
  /** Broker 1 was the last one in the ISR, and is gone. */
  const offline = (options: ClusterOptions = {}) => story({ partitions: [partition({ isr: [1] })], ...options }, [1])

  function allow(cluster: TestCluster, resourceType: number, resourceName: string): void {
    const configs = [{ name: ALLOWED, configOperation: 0, value: 'true' }]
    const resources = [{ resourceType, resourceName, configs }]
    cluster.apply(planAlterConfigs(cluster.context, { resources, validateOnly: false }))
  }

  it.each([
    ['the topic', 2, 'a'],
    ['all brokers', 4, ''],
  ])('for %s elects with the next pass', (_, type, name) => {
    const cluster = offline()
    expect(electUnclean(cluster.context, 1000)).toEqual([])
    allow(cluster, type, name)
    expect(cluster.brief()).toBe('-1 isr  elr 1 last 1')
    cluster.replay(electUnclean(cluster.context, 1000))
    expect(cluster.brief()).toBe('2 isr 2 elr  last ')
    expect(cluster.partition().leaderRecoveryState).toBe(1)
  })

  it('elects, too, when a broker comes back that has nothing to do with it', () => {
    const brokers = [broker(1), broker(2), broker(3), broker(4, { fenced: true })]
    const cluster = offline({ brokers })
    allow(cluster, 2, 'a')
    unfence(cluster, 4)
    expect(cluster.brief()).toBe('2 isr 2 elr  last ')
  })

  it('is by the configuration of the servers, unless the topic says otherwise', () => {
    const statics = { [ALLOWED]: 'true' }
    expect(offline({ statics }).brief()).toBe('2 isr 2 elr  last ')
    expect(offline({ statics, configs: { [ALLOWED]: 'false' } }).brief()).toBe('-1 isr  elr 1 last 1')
  })

  it('is not for those that are led, nor for all at once', () => {
    const lost = partition({ leader: -1, isr: [], elr: [1], lastKnownElr: [1] })
    const brokers = [broker(1, { fenced: true }), broker(2), broker(3)]
    const partitions = [partition({ leader: 2, isr: [2, 3] }), ...Array.from({ length: 5 }, () => lost)]
    const cluster = new TestCluster({ brokers, partitions, configs: { [ALLOWED]: 'true' } })
    const records = electUnclean(cluster.context, 3)
    expect(records.map(({ value }) => (value as { partitionId: number }).partitionId)).toEqual([1, 2, 3])
  })
})

describe('the last known leader', () => {
  it('is kept while nobody leads, and forgotten when somebody does', () => {
    const cluster = story({ partitions: [partition({ isr: [2], leader: 2 })] }, [2])
    expect(cluster.brief()).toBe('-1 isr  elr 2 last 2')
    cluster.replay(removeFromIsrs(cluster.context, 2, true))
    expect(cluster.brief()).toBe('-1 isr  elr  last 2')
    unfence(cluster, 2)
    expect(cluster.brief()).toBe('2 isr 2 elr  last ')
  })
})

describe('preferred leaders', () => {
  it('take over again when they are back in the ISR', () => {
    const cluster = new TestCluster({
      partitions: [partition({ leader: 2 }), partition({ leader: 2, isr: [2, 3] }), partition()],
    })
    cluster.replay(electPreferred(cluster.context, 1000))
    expect([0, 1, 2].map((i) => cluster.partition(i).leader)).toEqual([1, 2, 1])
    expect([0, 1, 2].map((i) => cluster.partition(i).leaderEpoch)).toEqual([6, 5, 5])
  })

  it('do not while they are fenced or on their way out, nor all at once', () => {
    const away = (state: object) => [broker(1, state), broker(2), broker(3)]
    for (const brokers of [away({ fenced: true }), away({ inControlledShutdown: true })]) {
      const cluster = new TestCluster({ brokers, partitions: [partition({ leader: 2 })] })
      expect(electPreferred(cluster.context, 1000)).toEqual([])
    }
    const many = new TestCluster({ partitions: Array.from({ length: 5 }, () => partition({ leader: 2 })) })
    expect(electPreferred(many.context, 3).length).toBe(3)
  })
})
