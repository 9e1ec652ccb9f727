// The story of one kind of fault.
import type { Stage } from './stage.ts'

export interface Story {
  /** What a client sees. */
  readonly seen: string
  /** Whatever it leaves behind is mended afterwards. */
  readonly show: (stage: Stage) => Promise<void>
}

/** By kinds. */
export type Stories = Readonly<Record<string, Story>>
