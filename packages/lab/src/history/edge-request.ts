// A request as the brokers' edge has it: what edge.jsonl has a line of.

export interface EdgePartition {
  readonly topic: string
  readonly partition: number
  readonly error?: string
  readonly offset?: number
  /** Of a Fetch: what the batches that it was answered with cover. */
  readonly from?: number
  readonly to?: number
  /** Of a Produce. */
  readonly records?: number
  readonly digests?: readonly string[]
  readonly producer?: number
  readonly epoch?: number
  readonly sequence?: number
  readonly transactional?: boolean
}

/** Which of these there are depends on the API. */
export interface EdgeFields {
  readonly error?: string
  readonly partitions?: readonly EdgePartition[]
  readonly acks?: number
  readonly group?: string
  readonly generation?: number
  readonly member?: string
  readonly members?: readonly string[]
  readonly transactionalId?: string | null
  readonly producer?: number
  readonly epoch?: number
  readonly committed?: boolean
}

export interface EdgeRequest {
  /** When it was read. */
  readonly t: number
  readonly mono: number
  readonly node: string
  /** `lab`, `app`, or which copy of it: `app:2`. */
  readonly who: string
  readonly remote: string
  readonly client: string | null
  readonly api: string
  readonly version: number
  readonly correlation: number
  readonly request?: EdgeFields
  readonly answer?: EdgeFields
  /** Until the answer left, or the connection was gone; not there when the broker ended first. */
  readonly tookMs?: number
  /** Whether the answer left. */
  readonly left?: boolean
}

/** Whether it is a program that is called so, and not a process of ours. */
export function isProgram(process: string): boolean {
  return /^app(:\d+)?( |$)/.test(process)
}

/** The answer left, so that the client may know of it. */
export function wasHeard({ left, answer }: EdgeRequest): boolean {
  return left === true && answer !== undefined
}

export function endOf({ t, tookMs = 0 }: EdgeRequest): number {
  return t + tookMs
}

export function sameIn(
  partitions: readonly EdgePartition[] | undefined,
  { topic, partition }: Pick<EdgePartition, 'topic' | 'partition'>,
): EdgePartition | undefined {
  return partitions?.find((p) => p.topic === topic && p.partition === partition)
}
