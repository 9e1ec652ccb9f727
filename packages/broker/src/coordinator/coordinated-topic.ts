// An internal topic whose partitions' leaders are coordinators: a runtime follows the leaderships of this broker.
import type { Clock } from '@faultline/base'
import type { CoordinatorRuntime } from '@faultline/coordinator'
import type { Partition } from '../replica/partition.ts'
import { CoordinatedLog } from './coordinated-log.ts'

type Runtime = Pick<CoordinatorRuntime<never>, 'elected' | 'resigned' | 'advanced' | 'stop'>

export class CoordinatedTopic {
  readonly topic: string
  readonly #runtime: Runtime
  readonly #clock: Clock
  readonly #logs = new Map<number, CoordinatedLog>()

  constructor(topic: string, runtime: Runtime, clock: Clock) {
    this.topic = topic
    this.#runtime = runtime
    this.#clock = clock
  }

  /** A partition begins or ends to be led here, or is led in a new epoch. */
  onLeadership(partition: Partition, leads: boolean): void {
    if (partition.topic !== this.topic) return
    const { index } = partition
    this.#logs.get(index)?.detach()
    this.#logs.delete(index)
    if (!leads) return this.#runtime.resigned(index)
    const log = new CoordinatedLog(partition, this.#clock, () => this.#runtime.advanced(index))
    this.#logs.set(index, log)
    this.#runtime.elected(index, partition.leaderEpoch, log)
  }

  stop(): void {
    this.#runtime.stop()
  }
}
