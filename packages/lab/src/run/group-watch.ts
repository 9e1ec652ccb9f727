// Looks at all consumer groups while a run goes on: what each has committed, and of how much.
import { type ClusterClient, type GroupReport, reportGroups } from '@faultline/client'

export interface GroupSample {
  readonly at: number
  readonly group: string
  readonly state: string
  readonly members: number
  readonly positions: readonly { readonly partition: string; readonly committed: number | null; readonly end: number | null }[]
}

const EVERY_MS = 500

export class GroupWatch {
  readonly samples: GroupSample[] = []
  readonly #client: ClusterClient
  #stopped = false
  #watching: Promise<void> | undefined

  constructor(client: ClusterClient) {
    this.#client = client
  }

  start(): void {
    this.#watching = this.#watch()
  }

  /** What groups have now. Coordinators that do not answer are left out. */
  async look(): Promise<GroupSample[]> {
    const { answers } = await reportGroups(this.#client)
    const at = Date.now()
    return answers.map((report) => sampleOf(report, at))
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#watching
  }

  async #watch(): Promise<void> {
    while (!this.#stopped) {
      this.samples.push(...(await this.look().catch(() => [])))
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS))
    }
  }
}

function sampleOf({ groupId, state, description, positions }: GroupReport, at: number): GroupSample {
  return {
    at,
    group: groupId,
    state,
    members: description?.members.length ?? 0,
    positions: positions.map(({ topic, partition, committed, end }) => ({ partition: `${topic}-${partition}`, committed, end })),
  }
}

/** Records that are there (up to `ends`, past the last record of each partition) and not committed. */
export function lagIn(samples: readonly GroupSample[], ends: ReadonlyMap<string, number>): number {
  return samples
    .flatMap((s) => s.positions)
    .reduce((lag, { partition, committed }) => lag + Math.max(0, (ends.get(partition) ?? 0) - (committed ?? 0)), 0)
}
