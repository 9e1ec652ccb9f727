// Exactly once, whole clusters from seeds: the coordinators of transactions and groups, and leaders, crash in the middle of transactions.
import { describe, expect, it } from 'vitest'
import { runExactlyOnce } from '../src/index.ts'

const SEEDS = Array.from({ length: 20 }, (_, i) => i + 1)

describe('a transactional processor in the simulator', () => {
  it.each(SEEDS)('seed %i processes each record exactly once', async (seed) => {
    const { problems, crashes } = await runExactlyOnce(seed)
    expect(problems, `replay: npx faultline sim --scenario exactly-once --seed ${seed}`).toEqual([])
    expect(crashes).toBeGreaterThan(0)
  })

  it('gives the same digest for the same seed', async () => {
    const [first, again] = [await runExactlyOnce(5), await runExactlyOnce(5)]
    expect(again).toEqual(first)
  })
})
