// Storage faults on the quorum's log, on real files: what the driver hears, in which order, and what the next start finds.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '@faultline/base'
import { ArmedFaults, StorageFaults } from '@faultline/fault'
import type { RaftStorage } from '@faultline/raft'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { entry } from '../../raft/test/storage-contract.ts'
import { FaultyStorage } from '../src/raft-storage/faulty-storage.ts'
import { LevelStorage } from '../src/raft-storage/level-storage.ts'
import { Underneath } from '../src/raft-storage/underneath.ts'

let path: string
let faults: ArmedFaults
let storage: RaftStorage
/** Timers of the slow disk that are to be let go by hand. */
let waiting: { ms: number; run: () => void }[]

const clock: Clock = {
  wall: () => 0,
  mono: () => 0,
  after: (ms, run) => {
    waiting.push({ ms, run })
    return { cancel: () => {} }
  },
}

function open(): RaftStorage {
  const crash = () => {
    throw new Error('the node is dead')
  }
  const decisions = new StorageFaults(faults, { crash })
  return new FaultyStorage(new LevelStorage(path, new Underneath(path, decisions)), path, decisions, clock)
}

beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'raft-storage-'))
  faults = new ArmedFaults({ emit: () => {} })
  waiting = []
  storage = open()
})

afterEach(async () => {
  await storage.close()
  await rm(path, { recursive: true })
})

function arm(kind: string, parameters = {}): void {
  const where = { file: 'raft' } as const
  faults.arm({ id: 'f', family: 'storage', kind, where, trigger: {}, count: 1, observe: false, parameters })
}

/** What `done` was called with. */
const persist = (index: number) =>
  new Promise<string>((resolve) => {
    const hardState = { term: 1, vote: 1, commit: index - 1 }
    storage.persist({ hardState, entries: [entry(index, 1)] }, (error) => resolve(error?.message ?? 'done'))
  })

async function reopened() {
  await storage.close()
  faults.disarmAll()
  storage = open()
  return (await storage.load()).entries.map((e) => e.index)
}

describe("a disk under the quorum's log", () => {
  it.each([
    ['full', {}, /ENOSPC/],
    ['io-error', { operation: 'write' }, /EIO.*write/],
    ['io-error', { operation: 'sync' }, /EIO.*sync/],
  ])('%s %o: the driver hears it', async (kind, parameters, message) => {
    await storage.load()
    expect(await persist(1)).toBe('done')
    arm(kind, parameters)
    expect(await persist(2)).toMatch(message)
    expect(await reopened()).toEqual([1])
  })

  it('that cannot be read keeps the controller from starting', async () => {
    arm('io-error', { operation: 'read' })
    await expect(storage.load()).rejects.toThrow(/EIO.*read/)
  })

  it('that is slow is waited for, and nothing overtakes', async () => {
    await storage.load()
    arm('slow', { ms: 400 })
    const heard: number[] = []
    const first = persist(1).then(() => heard.push(1))
    const second = persist(2).then(() => heard.push(2))
    await expect.poll(() => waiting.length).toBe(1)
    expect([waiting[0]!.ms, heard]).toEqual([400, []])
    waiting[0]!.run()
    await Promise.all([first, second])
    expect(heard).toEqual([1, 2])
    expect(await reopened()).toEqual([1, 2])
  })

  it('that tears a write: what was confirmed is there, and nothing else', async () => {
    await storage.load()
    expect(await persist(1)).toBe('done')
    arm('torn-write')
    expect(await persist(2)).toMatch('the node is dead')
    expect(await reopened()).toEqual([1])
  })

  it('that flips a bit of what is committed is found out: the controller does not start', async () => {
    await storage.load()
    expect(await persist(1)).toBe('done')
    arm('bit-flip')
    for (const index of [2, 3, 4]) expect(await persist(index)).toBe('done')
    await expect(reopened()).rejects.toThrow()
  })
})
