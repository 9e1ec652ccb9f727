// A Produce with acks=all that waits until the high watermark has passed what it appended, on every partition.
import type { Clock } from '@faultline/base'
import { Errors } from '@faultline/protocol'
import { type AwaitedPartition, DelayedRequest } from './delayed-request.ts'

export interface ProducedPartition extends AwaitedPartition {
  /** The high watermark that acknowledges it. */
  readonly end: number
  /** Completed with an error when the promise cannot be kept. */
  readonly response: { errorCode?: number; baseOffset?: number }
}

export class DelayedProduce extends DelayedRequest<ProducedPartition> {
  constructor(clock: Clock, produced: readonly ProducedPartition[], timeoutMs: number) {
    super(clock, produced, timeoutMs, 'advanced')
  }

  protected outcome({ partition, end }: ProducedPartition): number | undefined {
    if (partition.log.highWatermark < end) return undefined
    // It is on every member of the ISR; if that has shrunk below its minimum meanwhile, the promise was smaller than asked for.
    return partition.underMinIsr ? Errors.NOT_ENOUGH_REPLICAS_AFTER_APPEND : Errors.NONE
  }

  protected complete({ response }: ProducedPartition, error: number): void {
    if (error === Errors.NONE) return
    response.errorCode = error
    response.baseOffset = -1
  }
}
