// The shards of one coordinator on this broker: one for each partition of its internal topic that is led here.
import type { Clock, EventSink, Random } from '@faultline/base'
import { type ErrorCode, Errors } from '@faultline/protocol'
import type { ShardContext, ShardLog, ShardState } from './ports.ts'
import { Shard } from './shard.ts'

export interface RuntimeOptions<S extends ShardState> {
  readonly clock: Clock
  readonly random: Random
  readonly events: EventSink
  readonly commitTimeoutMs: number
  readonly create: (context: ShardContext) => S
}

export class CoordinatorRuntime<S extends ShardState> {
  readonly #o: RuntimeOptions<S>
  readonly #shards = new Map<number, Shard<S>>()

  constructor(options: RuntimeOptions<S>) {
    this.#o = options
  }

  /** Led here, loaded or not. */
  get partitions(): number[] {
    return [...this.#shards.keys()]
  }

  /** The states that are whole: read to their logs' ends. For whoever counts, not for answers. */
  get loaded(): S[] {
    return [...this.#shards.values()].flatMap((shard) => shard.loaded ?? [])
  }

  /** The state of one partition, if it is led here and whole. */
  loadedOf(partition: number): S | undefined {
    return this.#shards.get(partition)?.loaded
  }

  /** This broker leads `partition` in `epoch`: its log is replayed. What an earlier epoch held is dropped. */
  elected(partition: number, epoch: number, log: ShardLog): void {
    this.resigned(partition)
    this.#shards.set(partition, new Shard({ ...this.#o, partition, epoch, log }))
  }

  /** This broker does not lead `partition` any more. */
  resigned(partition: number): void {
    const shard = this.#shards.get(partition)
    this.#shards.delete(partition)
    shard?.unload()
  }

  /** The high watermark of `partition` has moved. */
  advanced(partition: number): void {
    this.#shards.get(partition)?.advance()
  }

  run<T>(partition: number, step: (state: S, answer: (value: T) => void) => void, failed: (error: ErrorCode) => T): Promise<T> {
    const shard = this.#shards.get(partition)
    return shard ? shard.run(step, failed) : Promise.resolve(failed(Errors.NOT_COORDINATOR))
  }

  stop(): void {
    for (const partition of this.partitions) this.resigned(partition)
  }
}
