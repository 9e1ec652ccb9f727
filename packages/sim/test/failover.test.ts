// The whole cluster from a seed: the unchanged broker, controller, coordinator and log code on virtual time, network and disks.
import { describe, expect, it } from 'vitest'
import { runFailover } from '../src/index.ts'

const SEEDS = Array.from({ length: 20 }, (_, i) => i + 1)

describe('a leader crash in the simulator', () => {
  it.each(SEEDS)('seed %i loses nothing that was acknowledged', async (seed) => {
    const { problems, acknowledged, truncations } = await runFailover(seed)
    expect(problems, `replay: npx faultline sim --seed ${seed}`).toEqual([])
    expect(acknowledged).toBeGreaterThan(100)
    if (seed % 2 === 0) expect(truncations).toBeGreaterThan(0)
  })

  it('gives the same digest for the same seed, and another for another', async () => {
    const [first, again, other] = [await runFailover(7), await runFailover(7), await runFailover(8)]
    expect(again).toEqual(first)
    expect(other.digest).not.toBe(first.digest)
  })
})
