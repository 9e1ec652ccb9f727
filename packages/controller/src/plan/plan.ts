// What a planner gives back: records that change the state, and the answer that waits until they are committed.
import type { Random } from '@faultline/base'
import type { MetadataRecord } from '@faultline/protocol'
import type { StaticConfigs } from '../config/effective-configs.ts'
import type { ClusterImage } from '../image/cluster-image.ts'

export interface Plan<Response> {
  readonly records: readonly MetadataRecord[]
  readonly response: Response
}

/** What a planner may read. It changes nothing. */
export interface PlanContext {
  readonly image: ClusterImage
  readonly statics: StaticConfigs
  readonly random: Random
  /** The offset that the records of this plan will have. */
  readonly nextOffset: number
  /** Has this broker been heard of within its session? */
  readonly hasSession: (broker: number) => boolean
}

/** A Kafka error code with the sentence that goes with it. */
export interface ApiError {
  readonly error: number
  readonly message: string
}

export function refuse(error: number, message: string): ApiError {
  return { error, message }
}
