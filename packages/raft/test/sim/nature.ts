// What a seed's world is like: sizes, speeds, and how often what goes wrong. Drawn first, so that seeds differ in kind, not in luck only.
import type { Prng } from '@faultline/base'
import { DEFAULT_LIMITS, type RaftLimits, type RaftTiming } from '../../src/index.ts'
import type { NetworkNature } from './network.ts'

export interface Nature {
  readonly voters: readonly number[]
  readonly learners: readonly number[]
  readonly timing: RaftTiming
  readonly limits: RaftLimits
  readonly network: NetworkNature
  readonly disk: { readonly meanDelayMs: number; readonly stall: number; readonly fail: number }
  /** Speed of each node's clock. */
  readonly clockSpeeds: ReadonlyMap<number, number>
  /** Mean time between events of a kind (ms). */
  readonly every: {
    readonly crash: number
    readonly cut: number
    readonly transfer: number
    readonly propose: number
    readonly read: number
  }
  readonly downMs: number
  readonly cutMs: number
  readonly compactEvery: number
  readonly durationMs: number
}

const USUAL: RaftTiming = { heartbeatMs: 50, electionTimeoutMs: 400, checkQuorumMs: 600 }
/** Leaders change often, and those cut off go on for long. */
const HASTY: RaftTiming = { heartbeatMs: 40, electionTimeoutMs: 150, checkQuorumMs: 1200 }
/** One entry a message, a few bytes of a snapshot. */
const TIGHT: RaftLimits = { appendBytes: 40, inflightAppends: 2, uncommittedBytes: 2000, snapshotChunkBytes: 16 }

export const CALM: NetworkNature = { minDelayMs: 1, meanDelayMs: 1, loss: 0, repeat: 0, stray: 0 }

export function drawNature(random: Prng): Nature {
  const pick = <T>(...choices: readonly T[]): T => choices[random.below(choices.length)]!
  const voters = Array.from({ length: pick(1, 2, 3, 3, 3, 3, 4, 5, 5, 5) }, (_, i) => i + 1)
  const learners = pick([], [], [11], [11, 12])
  const speeds = [...voters, ...learners].map((id): [number, number] => [id, pick(1, 1, 1, 0.9, 1.1)])
  return {
    voters,
    learners,
    timing: pick(USUAL, HASTY),
    limits: pick(DEFAULT_LIMITS, TIGHT, { ...TIGHT, inflightAppends: 8 }),
    network: {
      minDelayMs: 1,
      meanDelayMs: pick(1, 5, 30),
      loss: pick(0, 0, 0.05, 0.2),
      repeat: pick(0, 0.05, 0.3),
      stray: pick(0, 0.01, 0.05),
    },
    disk: { meanDelayMs: pick(1, 5, 40), stall: pick(0, 0, 0.005, 0.05), fail: pick(0, 0, 0.001) },
    clockSpeeds: new Map(speeds),
    every: {
      crash: pick(300, 1000, 3000, 1e9),
      cut: pick(300, 1000, 3000, 1e9),
      transfer: pick(1500, 10_000, 1e9),
      propose: pick(15, 60, 300),
      read: pick(50, 300),
    },
    downMs: pick(20, 200, 1500),
    cutMs: pick(200, 600, 2000),
    compactEvery: pick(10, 40, 1000),
    durationMs: 12_000,
  }
}

/** The worst of everything: finds a mistake in few seeds. */
export function beFierce(nature: Nature): Nature {
  return {
    ...nature,
    voters: nature.voters.length < 3 ? [1, 2, 3] : nature.voters,
    timing: HASTY,
    limits: { ...TIGHT, snapshotChunkBytes: 64 },
    network: { minDelayMs: 1, meanDelayMs: 15, loss: 0.05, repeat: 0.1, stray: 0.05 },
    disk: { meanDelayMs: 5, stall: 0.03, fail: 0.001 },
    every: { crash: 500, cut: 800, transfer: 1500, propose: 15, read: 30 },
    downMs: 100,
    cutMs: 600,
    compactEvery: 10,
  }
}
