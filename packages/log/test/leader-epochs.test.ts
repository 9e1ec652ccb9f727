// Who compares logs by epoch must get Kafka's answers (kafka §4.3).
import { describe, expect, it } from 'vitest'
import { VirtualDisk } from '../../sim/src/disk/virtual-disk.ts'
import { LeaderEpochs } from '../src/leader-epochs.ts'
import { fixture, values } from './support.ts'

function epochs(...starts: [epoch: number, startOffset: number][]): LeaderEpochs {
  const made = new LeaderEpochs(new VirtualDisk(), '')
  for (const [epoch, startOffset] of starts) made.assign(epoch, startOffset)
  return made
}

const pairs = (of: LeaderEpochs) => of.entries.map(({ epoch, startOffset }) => [epoch, startOffset])

describe('the end offset of an epoch', () => {
  const known = epochs([2, 10], [4, 20], [7, 35])
  it.each([
    ['the latest ends where the log does', 7, [7, 50]],
    ['an earlier one ends where the next begins', 4, [4, 35]],
    ['one between ends with the one before it', 5, [4, 35]],
    ['and again', 3, [2, 20]],
    ['the first', 2, [2, 20]],
    ['below the first, all that is known is where that one begins', 1, [1, 10]],
    ['above the latest, nothing', 8, [-1, -1]],
    ['undefined, nothing', -1, [-1, -1]],
  ])('%s', (_name, epoch, [answerEpoch, endOffset]) => {
    expect(known.endOffsetFor(epoch, 50)).toEqual({ epoch: answerEpoch, endOffset })
  })

  it('is unknown to an empty log', () => {
    expect(epochs().endOffsetFor(0, 0)).toEqual({ epoch: -1, endOffset: -1 })
  })
})

describe('epochs', () => {
  it('are assigned once, and only upwards', () => {
    expect(pairs(epochs([1, 0], [1, 5], [2, 5], [2, 9]))).toEqual([
      [1, 0],
      [2, 5],
    ])
    // KAFKA-7415: one without records gives way to the next that begins at the same offset.
    expect(pairs(epochs([1, 0], [2, 5], [3, 5]))).toEqual([
      [1, 0],
      [3, 5],
    ])
    expect(pairs(epochs([1, 0], [5, 5], [3, 8]))).toEqual([
      [1, 0],
      [3, 8],
    ])
    expect(pairs(epochs([1, 0], [2, 5], [2, 3]))).toEqual([
      [1, 0],
      [2, 3],
    ])
    expect(pairs(epochs([-1, 0]))).toEqual([])
  })

  it('are dropped at the end by truncation', () => {
    const made = epochs([1, 0], [2, 5], [4, 9])
    made.truncateFromEnd(10)
    expect(pairs(made)).toHaveLength(3)
    made.truncateFromEnd(9)
    expect(pairs(made)).toEqual([
      [1, 0],
      [2, 5],
    ])
    made.truncateFromEnd(0)
    expect(pairs(made)).toEqual([])
  })

  it('are merged at the start when the log start advances', () => {
    const made = epochs([1, 0], [2, 5], [4, 9])
    made.truncateFromStart(7)
    expect(pairs(made)).toEqual([
      [2, 7],
      [4, 9],
    ])
    made.truncateFromStart(9)
    expect(pairs(made)).toEqual([[4, 9]])
    made.truncateFromStart(3)
    expect(pairs(made)).toEqual([[4, 9]])
    made.truncateFromStart(20)
    expect(pairs(made)).toEqual([[4, 20]])
  })

  it('tell the epoch of an offset', () => {
    const made = epochs([1, 5], [4, 9])
    expect([4, 5, 8, 9, 100].map((offset) => made.epochOf(offset))).toEqual([undefined, 1, 1, 4, 4])
  })
})

/** KIP-101's two scenarios, with the logs themselves: after truncation by epoch a follower holds a prefix of the leader's log. */
describe('a follower that truncates by epoch', () => {
  const log = (...epochsOfBatches: number[]) => {
    const made = fixture().open()
    for (const epoch of epochsOfBatches) made.appendAsLeader(values([`e${epoch}`]), epoch, 'client')
    return made
  }
  const truncationOffset = (leader: ReturnType<typeof log>, follower: ReturnType<typeof log>) => {
    for (;;) {
      const asked = follower.latestEpoch
      if (asked === undefined) return
      const end = leader.endOffsetForEpoch(asked)
      if (end.epoch === -1) return follower.truncateTo(0)
      const own = follower.endOffsetForEpoch(end.epoch)
      const diverges = end.epoch < asked || end.endOffset < follower.logEndOffset
      if (!diverges) return
      const to = own.epoch === end.epoch ? Math.min(own.endOffset, end.endOffset) : own.endOffset
      follower.truncateTo(Math.max(0, Math.min(to, follower.logEndOffset)))
    }
  }

  it.each<[string, number[], number[], number]>([
    ['is a prefix already', [0, 0, 1, 1], [0, 0, 1], 3],
    ['has more of the same epoch', [0, 0, 2], [0, 0, 0, 0], 2],
    ['was a leader itself meanwhile', [0, 0, 2, 2], [0, 0, 1, 1, 1], 2],
    ['parted long ago', [0, 1, 3, 3, 5], [0, 1, 2, 2, 2, 4, 4], 2],
    ['has nothing in common', [3, 3], [1, 2], 0],
    ['is empty', [0, 1], [], 0],
  ])('%s', (_name, leaderEpochs, followerEpochs, common) => {
    const leader = log(...leaderEpochs)
    const follower = log(...followerEpochs)
    truncationOffset(leader, follower)
    expect(follower.logEndOffset).toBe(common)
  })
})
