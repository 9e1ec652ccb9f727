// A cluster for planners: an image built by replay, and what else a planner may read.
import { Prng } from '@faultline/base'
import type { MetadataRecord } from '@faultline/protocol'
import type { BrokerState } from '../src/image/broker-state.ts'
import { ClusterImage } from '../src/image/cluster-image.ts'
import { partitionRecord, registration } from '../src/image/image-records.ts'
import type { PartitionState } from '../src/image/partition-state.ts'
import type { Plan, PlanContext } from '../src/plan/plan.ts'

export const TOPIC_ID = 'dG9waWMtYS1mb3ItdGVzdA'

export function broker(id: number, state: Partial<BrokerState> = {}): BrokerState {
  return {
    id,
    epoch: 10 * id,
    incarnationId: `incarnation-of-broker-${id}`.padEnd(22, '.').slice(0, 22).replaceAll('.', 'A'),
    listeners: [{ name: 'PLAINTEXT', host: 'h', port: 9092 }],
    rack: null,
    logDirs: ['AAAAAAAAAAAAAAAAAAAAZg'],
    fenced: false,
    inControlledShutdown: false,
    ...state,
  }
}

export function partition(state: Partial<PartitionState> = {}): PartitionState {
  const replicas = state.replicas ?? [1, 2, 3]
  return {
    partition: 0,
    replicas,
    isr: replicas,
    elr: [],
    lastKnownElr: [],
    addingReplicas: [],
    removingReplicas: [],
    leader: replicas[0]!,
    leaderEpoch: 5,
    partitionEpoch: 9,
    leaderRecoveryState: 0,
    ...state,
  }
}

export interface ClusterOptions {
  readonly brokers?: readonly BrokerState[]
  /** Of the topic "a". */
  readonly partitions?: readonly PartitionState[]
  readonly configs?: Readonly<Record<string, string>>
  readonly statics?: Readonly<Record<string, string>>
  readonly elr?: boolean
  readonly sessions?: readonly number[]
}

export class TestCluster {
  readonly image = new ClusterImage()
  readonly context: PlanContext
  #offset = 100

  constructor({ brokers, partitions = [], configs = {}, statics = {}, elr = true, sessions = [] }: ClusterOptions = {}) {
    const records: MetadataRecord[] = [
      { type: 'FeatureLevelRecord', value: { name: 'eligible.leader.replicas.version', featureLevel: elr ? 1 : 0 } },
    ]
    for (const state of brokers ?? [1, 2, 3].map((id) => broker(id))) {
      records.push({ type: 'RegisterBrokerRecord', value: registration(state) })
    }
    records.push({ type: 'TopicRecord', value: { name: 'a', topicId: TOPIC_ID } })
    partitions.forEach((state, index) => {
      records.push({ type: 'PartitionRecord', value: partitionRecord(TOPIC_ID, { ...state, partition: index }) })
    })
    for (const [name, value] of Object.entries(configs)) {
      records.push({ type: 'ConfigRecord', value: { resourceType: 2, resourceName: 'a', name, value } })
    }
    this.image.replayEntry(0, 1, records)
    this.context = {
      image: this.image,
      statics: new Map(Object.entries(statics)),
      random: new Prng(1),
      nextOffset: this.#offset,
      hasSession: (id) => sessions.includes(id),
    }
  }

  /** Replays what a planner planned, and hands on its answer. */
  apply<R>({ records, response }: Plan<R>): R {
    this.replay(records)
    return response
  }

  replay(records: readonly MetadataRecord[]): void {
    if (records.length > 0) this.image.replayEntry(this.#offset++, 1, records)
  }

  partition(index = 0): PartitionState {
    return this.image.topicsById.get(TOPIC_ID)!.partitions[index]!
  }

  /** Leader, ISR and ELR in few characters. */
  brief(index = 0): string {
    const { leader, isr, elr, lastKnownElr } = this.partition(index)
    return `${leader} isr ${isr} elr ${elr} last ${lastKnownElr}`
  }
}
