import { describe, expect, it } from 'vitest'
import { Prng } from '../src/index.ts'

describe('Prng', () => {
  it('gives the same stream for a seed and another for its neighbour', () => {
    const draw = (seed: number) => Array.from({ length: 8 }, (_, i) => new Prng(seed).fork(`x${i}`).u32())
    expect(draw(7)).toEqual(draw(7))
    expect(draw(7)).not.toEqual(draw(8))
  })

  it('stays within its bound', () => {
    const prng = new Prng(1)
    for (let i = 0; i < 1000; i++) expect(prng.below(3)).toBeLessThan(3)
  })
})
