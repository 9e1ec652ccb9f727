import { describe, expect, it } from 'vitest'
import { javaHash, partitionOf } from '../src/partition-of.ts'

describe('the partition of a group', () => {
  it.each([
    ['my-group', 12],
    ['test-group', 12],
    ['console-consumer-1', 24],
    ['tx-1', 20],
    ['', 0],
    ['группа', 8],
  ])('%s is in partition %i of 50', (key, partition) => expect(partitionOf(key, 50)).toBe(partition))

  it('takes 0 for the hash that has no absolute value', () => {
    expect(javaHash('polygenelubricants')).toBe(-0x80000000)
    expect(partitionOf('polygenelubricants', 50)).toBe(0)
  })
})
