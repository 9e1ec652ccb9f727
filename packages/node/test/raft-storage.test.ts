// The Raft log on LevelDB: the contract of every storage, and what only real files can do.
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Prng } from '@faultline/base'
import { ArmedFaults, StorageFaults } from '@faultline/fault'
import type { Entry, HardState, RaftStorage, Survived } from '@faultline/raft'
import { Level } from 'level'
import { describe, expect, it } from 'vitest'
import { storageContract, type StorageUnderTest } from '../../raft/test/storage-contract.ts'
import { FaultyStorage } from '../src/raft-storage/faulty-storage.ts'
import { LevelStorage } from '../src/raft-storage/level-storage.ts'
import { Underneath } from '../src/raft-storage/underneath.ts'
import { SystemClock } from '../src/system-clock.ts'

const KEYS = { hardState: 'state', snapshot: 'snapshot' }

async function inFolder(test: (path: string) => Promise<void>): Promise<void> {
  const path = await mkdtemp(join(tmpdir(), 'raft-storage-'))
  try {
    await test(path)
  } finally {
    await rm(path, { recursive: true })
  }
}

async function editing(path: string, edit: (database: Level<string, Uint8Array>) => Promise<void>): Promise<void> {
  const database = new Level<string, Uint8Array>(path, { valueEncoding: 'view' })
  await edit(database)
  await database.close()
}

const unarmed = (path: string): RaftStorage => {
  const faults = new StorageFaults(new ArmedFaults({ emit: () => {} }), { crash: () => {} })
  return new FaultyStorage(new LevelStorage(path, new Underneath(path, faults)), path, faults, new SystemClock())
}

storageContract('LevelDB', () => underTest((path) => new LevelStorage(path)))
storageContract('LevelDB with no fault armed', () => underTest(unarmed))

async function underTest(openAt: (path: string) => RaftStorage): Promise<StorageUnderTest> {
  const path = await mkdtemp(join(tmpdir(), 'raft-storage-'))
  let open: RaftStorage | undefined
  return {
    open: () => (open = openAt(path)),
    settle: () => new Promise((resolve) => open!.persist({ entries: [] }, () => resolve())),
    damage: (what) =>
      editing(path, async (database) => {
        const key = typeof what === 'number' ? `entry/${String(what).padStart(16, '0')}` : KEYS[what]
        const value = (await database.get(key))!.slice()
        value[value.length - 1]! ^= 1
        await database.put(key, value)
      }),
    dispose: async () => {
      await open?.close()
      await rm(path, { recursive: true })
    },
  }
}

const data = new Uint8Array([1])
const written = async (path: string, batches: Parameters<LevelStorage['persist']>[0][]): Promise<void> => {
  const storage = new LevelStorage(path)
  await storage.load()
  for (const batch of batches) await new Promise<void>((resolve) => storage.persist(batch, () => resolve()))
  await storage.close()
}
const hardState = { term: 2, vote: 1, commit: 2 }

describe('LevelDB below the Raft log', () => {
  it('refuses a folder that another process has open', () =>
    inFolder(async (path) => {
      const first = new LevelStorage(path)
      await first.load()
      await expect(new LevelStorage(path).load()).rejects.toMatchObject({ code: 'FOLDER_IN_USE' })
      await first.close()
    }))

  it('refuses a folder of another format', () =>
    inFolder(async (path) => {
      await editing(path, (database) => database.put('format', new TextEncoder().encode('faultline raft log 9')))
      await expect(new LevelStorage(path).load()).rejects.toMatchObject({ code: 'FOLDER_FOREIGN' })
    }))

  it('notices a gap that a lost write left, and keeps the log before it', () =>
    inFolder(async (path) => {
      await written(path, [{ hardState, entries: [1, 2, 3, 4, 5].map((index) => ({ index, term: 1, data })) }])
      await editing(path, (database) => database.del('entry/0000000000000004'))
      const storage = new LevelStorage(path)
      expect((await storage.load()).entries.map((entry) => entry.index)).toEqual([1, 2, 3])
      await storage.close()
    }))

  it('notices entries of two histories side by side', () =>
    inFolder(async (path) => {
      await written(path, [{ hardState, entries: [1, 2, 3].map((index) => ({ index, term: 1, data })) }])
      let stale: Uint8Array | undefined
      await editing(path, async (database) => void (stale = (await database.get('entry/0000000000000003'))!.slice()))
      const replaced = [2, 3, 4].map((index) => ({ index, term: 2, data }))
      await written(path, [{ truncateFrom: 2, entries: replaced }])
      await editing(path, (database) => database.put('entry/0000000000000003', stale!))
      const storage = new LevelStorage(path)
      expect((await storage.load()).entries.map(({ index, term }) => [index, term])).toEqual([
        [1, 1],
        [2, 2],
      ])
      await storage.close()
    }))

  it('refuses when the record of term and vote is gone', () =>
    inFolder(async (path) => {
      await written(path, [{ hardState, entries: [1, 2].map((index) => ({ index, term: 1, data })) }])
      await editing(path, (database) => database.del('state'))
      await expect(new LevelStorage(path).load()).rejects.toMatchObject({ name: 'RaftStorageCorruption' })
    }))

  it('ignores log that a snapshot has replaced', () =>
    inFolder(async (path) => {
      await written(path, [{ hardState, entries: [1, 2, 3].map((index) => ({ index, term: 1, data })) }])
      let old: Uint8Array | undefined
      await editing(path, async (database) => void (old = (await database.get('entry/0000000000000001'))!.slice()))
      await written(path, [{ snapshot: { index: 2, term: 1, data }, entries: [] }])
      await editing(path, (database) => database.put('entry/0000000000000001', old!))
      const storage = new LevelStorage(path)
      expect((await storage.load()).entries.map((entry) => entry.index)).toEqual([3])
      await storage.close()
    }))

  it('fails every write after one that failed', () =>
    inFolder(async (path) => {
      const storage = new LevelStorage(path)
      await storage.load()
      await storage.close()
      const failed = (): Promise<Error | undefined> =>
        new Promise((resolve) => storage.persist({ hardState, entries: [] }, resolve))
      expect(await failed()).toBeInstanceOf(Error)
      expect(await failed()).toBeInstanceOf(Error)
    }))
})

/** Forty writes: entries, some of them replaced later, and a commit index that follows two behind. */
async function writeHistory(path: string): Promise<{ states: HardState[]; entries: Map<string, Entry> }> {
  const [states, entries, batches]: [HardState[], Map<string, Entry>, Parameters<LevelStorage['persist']>[0][]] = [
    [],
    new Map(),
    [],
  ]
  let last = 0
  for (let term = 1; term <= 40; term++) {
    const truncateFrom = term % 5 === 0 ? last : last + 1
    last = truncateFrom + 1
    const added = [truncateFrom, last].map((index) => ({ index, term, data: new Uint8Array(50).fill(term) }))
    for (const entry of added) entries.set(`${entry.index}@${entry.term}`, entry)
    const state = { term, vote: 1, commit: Math.max(0, last - 3) }
    states.push(state)
    batches.push(
      truncateFrom === last - 1 && term % 5 === 0
        ? { truncateFrom, entries: added, hardState: state }
        : { entries: added, hardState: state },
    )
  }
  await written(path, batches)
  return { states, entries }
}

/** What is loaded from a copy whose LevelDB log was harmed. */
async function loadCopy(
  path: string,
  harm: (bytes: Buffer) => Buffer,
  forget: readonly string[] = [],
): Promise<Survived | Error> {
  const copy = `${path}-copy`
  await cp(path, copy, { recursive: true })
  for (const name of forget) await rm(join(copy, name))
  const log = (await readdir(copy)).find((name) => name.endsWith('.log'))!
  await writeFile(join(copy, log), harm(await readFile(join(copy, log))))
  const storage = new LevelStorage(copy)
  try {
    return await storage.load()
  } catch (error) {
    return error as Error
  } finally {
    await storage.close()
    await rm(copy, { recursive: true })
  }
}

describe("damage to LevelDB's own files", () => {
  it('by a crash in the middle of a write leaves the state before that write', () =>
    inFolder(async (path) => {
      const { states, entries } = await writeHistory(path)
      const random = new Prng(3)
      for (let i = 0; i < 40; i++) {
        // Without the witness, as if each of the later writes had not been synced yet.
        const survived = await loadCopy(path, (bytes) => bytes.subarray(0, random.below(bytes.length)), ['WITNESS'])
        if (survived instanceof Error) throw survived
        const { hardState } = survived
        expect([{ term: 0, vote: -1, commit: 0 }, ...states]).toContainEqual(hardState)
        for (const entry of survived.entries) expect(entries.get(`${entry.index}@${entry.term}`)).toEqual(entry)
        expect(survived.entries.at(-1)?.term ?? 0).toBe(hardState.term)
      }
    }))

  it('that loses a write which was synced is refused', () =>
    inFolder(async (path) => {
      await writeHistory(path)
      const random = new Prng(5)
      for (let i = 0; i < 20; i++) {
        const survived = await loadCopy(path, (bytes) => bytes.subarray(0, random.below(bytes.length)))
        expect(survived).toMatchObject({ name: 'RaftStorageCorruption' })
      }
    }))

  it('by a flipped bit is refused, or does not matter', () =>
    inFolder(async (path) => {
      await writeHistory(path)
      const whole = await loadCopy(path, (bytes) => bytes)
      const random = new Prng(4)
      let refused = 0
      for (let i = 0; i < 60; i++) {
        const survived = await loadCopy(path, (bytes) => {
          bytes[random.below(bytes.length)]! ^= 1 << random.below(8)
          return bytes
        })
        if (survived instanceof Error) refused++
        expect(survived instanceof Error ? survived.name : survived).toEqual(
          survived instanceof Error ? 'RaftStorageCorruption' : whole,
        )
      }
      expect(refused).toBeGreaterThan(30)
    }))

  it('to the witness is no reason to refuse', () =>
    inFolder(async (path) => {
      await writeHistory(path)
      await writeFile(join(path, 'WITNESS'), 'not a record')
      expect(await loadCopy(path, (bytes) => bytes)).not.toBeInstanceOf(Error)
    }))
})
