// What a step on a transactional id comes to.
import { type ErrorCode, NO_PRODUCER_EPOCH, NO_PRODUCER_ID } from '@faultline/protocol'

/** Nothing was changed: the step is to be made again with a producer id that nobody has. */
export const NEEDS_PRODUCER_ID = 'needs a producer id'

export interface Settled {
  readonly error: ErrorCode
  readonly producerId: number
  readonly producerEpoch: number
}

export type Outcome = Settled | typeof NEEDS_PRODUCER_ID

export function refused(error: ErrorCode): Settled {
  return { error, producerId: NO_PRODUCER_ID, producerEpoch: NO_PRODUCER_EPOCH }
}
