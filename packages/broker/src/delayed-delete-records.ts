// A DeleteRecords that waits until no live replica has the records any more, on every partition.
import type { Clock } from '@faultline/base'
import { Errors } from '@faultline/protocol'
import { type AwaitedPartition, DelayedRequest } from './delayed-request.ts'

export interface DeletedPartition extends AwaitedPartition {
  /** The low watermark that is waited for. */
  readonly before: number
  readonly response: { errorCode?: number; lowWatermark?: number }
}

export class DelayedDeleteRecords extends DelayedRequest<DeletedPartition> {
  constructor(clock: Clock, deleted: readonly DeletedPartition[], timeoutMs: number) {
    super(clock, deleted, timeoutMs, 'shortened')
  }

  protected outcome({ partition, before }: DeletedPartition): number | undefined {
    return partition.lowWatermark >= before ? Errors.NONE : undefined
  }

  protected complete({ partition, response }: DeletedPartition, error: number): void {
    response.errorCode = error
    if (error === Errors.NONE) response.lowWatermark = partition.lowWatermark
    else if (error === Errors.NOT_LEADER_OR_FOLLOWER) response.lowWatermark = -1
  }
}
