// A slice of the seeded simulation (all of it: node scripts/sim-raft.mjs), and the proof that it sees mistakes.
import { describe, expect, it } from 'vitest'
import { PLANTED } from './sim/planted.ts'
import { type Outcome, runSeed } from './sim/run.ts'

const SLICE = 50
/** Most planted mistakes show in the first seed, the rarest within fifty; which seed it is changes with every change of the machine. */
const PLANTED_WITHIN = 200

describe('a simulated group', () => {
  it(`keeps every invariant in ${SLICE} seeded worlds, and gets going again after each`, async () => {
    const outcomes: Outcome[] = []
    for (let seed = 1; seed <= SLICE; seed++) {
      const outcome = await runSeed(seed)
      expect(outcome.violation?.message, `replay: node scripts/sim-raft.mjs --seed ${seed}`).toBeUndefined()
      outcomes.push(outcome)
    }
    const total = (what: 'elections' | 'installs' | 'reads' | 'committed'): number =>
      outcomes.reduce((sum, each) => sum + each[what], 0)
    // A world in which little happens proves little.
    expect(total('elections')).toBeGreaterThan(4 * SLICE)
    expect(total('installs')).toBeGreaterThan(2 * SLICE)
    expect(total('reads')).toBeGreaterThan(20 * SLICE)
    expect(total('committed')).toBeGreaterThan(100 * SLICE)
  })

  it('does the same for the same seed', async () => {
    for (const seed of [3, 11, 27]) expect(await runSeed(seed)).toEqual(await runSeed(seed))
    expect((await runSeed(3)).digest).not.toBe((await runSeed(4)).digest)
  })
})

describe('the simulation finds', () => {
  for (const [name, planted] of Object.entries(PLANTED))
    it(`${name}: ${planted.about}`, async () => {
      for (let seed = 1; seed <= PLANTED_WITHIN; seed++) {
        const { violation } = await runSeed(seed, planted)
        if (violation) return expect(planted.foundBy, violation.message).toContain(violation.invariant)
      }
      expect.unreachable(`not found in ${PLANTED_WITHIN} seeds`)
    })
})
