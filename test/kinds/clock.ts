// What a client sees of faults of clocks.
import { expect } from 'vitest'
import { until } from '../support/cluster.ts'
import type { Stage } from './stage.ts'
import type { Stories } from './story.ts'

/** How far the clock of the leader is from ours. */
async function skewOf(stage: Stage): Promise<number> {
  return (await stage.sendOnce()).logAppendTime - Date.now()
}

export const CLOCK: Stories = {
  step: {
    seen: 'records are from another time',
    async show(stage) {
      await stage.hit(await stage.add('clock', 'step', { node: 'leader:probed-0', with: { ms: -86_400_000 } }))
      expect(await skewOf(stage)).toBeLessThan(-80_000_000)
      await stage.control.healAll()
      expect(Math.abs(await skewOf(stage))).toBeLessThan(60_000)
    },
  },
  drift: {
    seen: 'time runs away',
    async show(stage) {
      await stage.hit(await stage.add('clock', 'drift', { node: 'leader:probed-0', with: { rate: 3 } }))
      const before = await skewOf(stage)
      await until('a second more than there was', async () => (await skewOf(stage)) > before + 1000)
    },
  },
  freeze: {
    seen: 'a broker that no timer wakes is fenced',
    async show(stage) {
      const { follower } = await stage.leaderAndFollower()
      await stage.hit(await stage.add('clock', 'freeze', { node: follower }))
      await stage.control.waitForIsr('probed-0', 2)
      await stage.sendOnce()
    },
  },
}
