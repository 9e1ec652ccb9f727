// An image is what its records say: a snapshot of it, replayed, is the same image, and goes on the same way.
import { Prng } from '@faultline/base'
import type { MetadataRecord } from '@faultline/protocol'
import { describe, expect, it } from 'vitest'
import { ClusterImage } from '../src/image/cluster-image.ts'
import { decodeEntry, encodeEntry } from '../src/image/entry-codec.ts'
import { planAlterConfigs } from '../src/plan/alter-configs.ts'
import { planAlterPartition } from '../src/plan/alter-partition.ts'
import { planFencing, planHeartbeat, planRegistration } from '../src/plan/brokers.ts'
import { planCreatePartitions } from '../src/plan/create-partitions.ts'
import { planCreateTopics } from '../src/plan/create-topics.ts'
import { planDeleteTopics } from '../src/plan/delete-topics.ts'
import { electPreferred } from '../src/plan/leadership.ts'
import type { Plan, PlanContext } from '../src/plan/plan.ts'

const SEEDS = Array.from({ length: 20 }, (_, i) => i + 1)
const STEPS = 150
const FEATURES: MetadataRecord[] = [
  { type: 'FeatureLevelRecord', value: { name: 'metadata.version', featureLevel: 30 } },
  { type: 'FeatureLevelRecord', value: { name: 'eligible.leader.replicas.version', featureLevel: 1 } },
]

/** As JSON, but for the order in which things came. */
function plain(image: ClusterImage) {
  const sorted = <K, V>(map: ReadonlyMap<K, V>) => [...map].sort(([a], [b]) => (String(a) < String(b) ? -1 : 1))
  return {
    offset: image.offset,
    epoch: image.epoch,
    brokers: sorted(image.brokers),
    topics: sorted(image.topicsById),
    names: sorted(image.topicsByName),
    configs: sorted(image.configs).map(([resource, values]) => [resource, sorted(values)]),
    features: sorted(image.features),
    nextProducerId: image.nextProducerId,
  }
}

/** A cluster to which random things happen, as controllers plan them. */
class Life {
  image = new ClusterImage()
  readonly #random: Prng
  #offset = 0

  constructor(seed: number) {
    this.#random = new Prng(seed)
    this.#replay(FEATURES)
  }

  step(): void {
    const { records } = this.#plan()
    if (records.length > 0) this.#replay(records)
  }

  #replay(records: readonly MetadataRecord[]): void {
    this.image.replayEntry(this.#offset++, 1, decodeEntry(encodeEntry(records)))
  }

  #plan(): Plan<unknown> {
    const random = this.#random
    const context: PlanContext = {
      image: this.image,
      statics: new Map(),
      random,
      nextOffset: this.#offset,
      hasSession: () => random.below(3) === 0,
    }
    const brokerId = 1 + random.below(4)
    const brokerEpoch = this.image.brokers.get(brokerId)?.epoch ?? -1
    const name = `topic-${random.below(5)}`
    const value = String(1 + random.below(3))
    const pick = <T>(from: readonly T[]): T | undefined => from[random.below(Math.max(1, from.length))]
    switch (random.below(9)) {
      case 0:
        return planRegistration(context, 'c', {
          brokerId,
          clusterId: 'c',
          incarnationId: Buffer.from(random.bytes(16)).toString('base64url'),
          listeners: [{ name: 'PLAINTEXT', host: 'h', port: 9000 + brokerId }],
          rack: random.below(2) === 0 ? '' : 'r',
          logDir: 'AAAAAAAAAAAAAAAAAAAAZg',
          previousBrokerEpoch: random.below(2) === 0 ? brokerEpoch : -1,
        })
      case 1:
      case 2: {
        const request = {
          brokerId,
          brokerEpoch,
          metadataOffset: this.#offset,
          wantFence: false,
          wantShutDown: random.below(5) === 0,
        }
        return planHeartbeat(context, request, random.below(2) === 0)
      }
      case 3:
        return { records: planFencing(context, brokerId), response: undefined }
      case 4: {
        const topic = { name, numPartitions: 1 + random.below(3), replicationFactor: 1 + random.below(3), assignments: [] }
        const configs = [{ name: 'min.insync.replicas', value }]
        return planCreateTopics(context, { topics: [{ ...topic, configs }], timeoutMs: 0, validateOnly: false })
      }
      case 5:
        if (random.below(3) > 0) return { records: electPreferred(context, 10), response: undefined }
        return planDeleteTopics(context, { topics: [], topicNames: [name], timeoutMs: 0 }, 5)
      case 6: {
        const configs = [{ name: 'min.insync.replicas', configOperation: random.below(2), value }]
        const resources = [
          { resourceType: random.below(2) === 0 ? 2 : 4, resourceName: random.below(2) === 0 ? name : '', configs },
        ]
        return planAlterConfigs(context, { resources, validateOnly: false })
      }
      case 7: {
        const count = 1 + random.below(5)
        return planCreatePartitions(context, { topics: [{ name, count, assignments: null }], timeoutMs: 0, validateOnly: false })
      }
      default: {
        const topic = pick([...this.image.topicsById.values()])
        const partition = topic && pick(topic.partitions)
        if (!topic || !partition || partition.leader < 0) return { records: [], response: undefined }
        const isr = partition.replicas.filter((id) => id === partition.leader || random.below(2) === 0)
        const item = {
          topicId: topic.id,
          partition: partition.partition,
          leaderEpoch: partition.leaderEpoch,
          partitionEpoch: partition.partitionEpoch,
          isr: isr.map((id) => ({ brokerId: id, brokerEpoch: -1 })),
          leaderRecoveryState: 0,
        }
        const epoch = this.image.brokers.get(partition.leader)!.epoch
        return planAlterPartition(context, { brokerId: partition.leader, brokerEpoch: epoch, partitions: [item] })
      }
    }
  }
}

describe('an image', () => {
  it.each(SEEDS)('is the same when its snapshot is replayed, and goes on the same way (seed %i)', (seed) => {
    const life = new Life(seed)
    let copy = new ClusterImage()
    for (let step = 0; step < STEPS; step++) {
      life.step()
      copy = new ClusterImage()
      copy.replayEntry(life.image.offset, life.image.epoch, decodeEntry(encodeEntry(life.image.toRecords())))
      expect(plain(copy)).toEqual(plain(life.image))
      if (step === STEPS / 2) life.image = copy
    }
    expect(life.image.topicsById.size + life.image.brokers.size).toBeGreaterThan(1)
  })

  it.each(SEEDS)('never has a leader outside its ISR, nor an ISR outside its replicas, nor a dead leader (seed %i)', (seed) => {
    const life = new Life(seed + 1000)
    for (let step = 0; step < STEPS; step++) {
      life.step()
      for (const { partitions } of life.image.topicsById.values()) {
        for (const { leader, isr, elr, replicas } of partitions) {
          expect(isr.every((id) => replicas.includes(id))).toBe(true)
          expect(elr.every((id) => replicas.includes(id) && !isr.includes(id))).toBe(true)
          expect(leader === -1 || isr.includes(leader)).toBe(true)
          expect(leader === -1 || !life.image.brokers.get(leader)!.fenced).toBe(true)
        }
      }
    }
  })
})
