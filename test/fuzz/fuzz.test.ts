// 20 000 fuzzed frames, the same every time. A million, or others: npm run fuzz, node scripts/fuzz.mjs --seed N.
import { describe, expect, it } from 'vitest'
import { HANDLERS } from '../../packages/broker/src/api/index.ts'
import { runEpisode } from './episode.ts'

const EPISODES = 20
const FRAMES = 1000

describe('a cluster that is told anything', () => {
  it('fails on none of it, answers what is a request, and keeps what it acknowledged', { timeout: 120_000 }, async () => {
    const answered = new Set<string>()
    for (let seed = 1; seed <= EPISODES; seed++) {
      try {
        const result = await runEpisode(seed, FRAMES)
        for (const key of result.answered.keys()) answered.add(key)
      } catch (error) {
        expect.fail(`${(error as Error).message}\nreplay: node scripts/fuzz.mjs --frames ${FRAMES} --seed ${seed}`)
      }
    }
    const served = HANDLERS.flatMap(({ api }) =>
      Array.from({ length: api.maxVersion - api.minVersion + 1 }, (_, i) => `${api.name} v${api.minVersion + i}`),
    )
    expect(served.filter((key) => !answered.has(key))).toEqual([])
  })

  it('does the same again from the same seed', async () => {
    expect(await runEpisode(3, 300)).toEqual(await runEpisode(3, 300))
  })
})
