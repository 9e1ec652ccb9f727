// What a workload is to a run: it starts, flows, stops producing, and goes.
import type { Random } from '@faultline/base'
import type { History, Send } from '../history/history.ts'
import type { Copy } from './app.ts'

export interface WorkloadContext {
  readonly bootstrap: string
  readonly history: History
  /** Partitions of the experiment's topics. */
  readonly partitions: ReadonlyMap<string, number>
  /** Folder for what programs write. */
  readonly logs: string
  /** Drawn from the run's seed; each name has its own. */
  readonly random: (name: string) => Random
  /** It cannot go on: the verdict says so. */
  readonly died: (reason: string) => void
}

export interface RunningWorkload {
  readonly name: string
  /** Enough has happened for the timeline to begin. */
  readonly flows: boolean
  /** Until nothing more is written. */
  stopProducing(): Promise<void>
  stop(): Promise<void>
  /** What of it can be killed, paused and started again by name. */
  readonly copies?: readonly Copy[]
}

/** A client whose cluster is gone may take its time to say goodbye. */
const GOODBYE_MS = 2000

export async function within(work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise((resolve) => (timer = setTimeout(resolve, GOODBYE_MS)))
  await Promise.race([work.catch(() => {}), limit])
  clearTimeout(timer)
}

/** They are in one batch, which begins at this offset; -1 when nobody said where. */
export function placed(sends: readonly Send[], baseOffset: number): void {
  if (baseOffset >= 0) for (const [i, send] of sends.entries()) send.offset = baseOffset + i
}
