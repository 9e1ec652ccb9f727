// Partitions as the active controller has them, for faults that must not go too far.
import type { Fleet } from '../fleet.ts'

export interface PartitionState {
  readonly name: string
  readonly leader: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
}

interface Topic {
  readonly name: string
  readonly partitions: readonly Omit<PartitionState, 'name'>[]
}

/** Undefined while no controller is active. */
export async function partitionsOf(fleet: Fleet): Promise<PartitionState[] | undefined> {
  const active = (await fleet.reports()).find((r) => r.report?.state === 'active')
  const topics = active?.report?.['topics'] as readonly Topic[] | undefined
  return topics?.flatMap(({ name, partitions }) => partitions.map((p, i) => ({ ...p, name: `${name}-${i}` })))
}
