// The Raft log on LevelDB: the contract of every storage, and what only real files can do.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Level } from 'level'
import { describe, expect, it } from 'vitest'
import { storageContract } from '../../raft/test/storage-contract.ts'
import { LevelStorage } from '../src/raft-storage/level-storage.ts'

const KEYS = { hardState: 'hard-state', snapshot: 'snapshot' }

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

storageContract('LevelDB', async () => {
  const path = await mkdtemp(join(tmpdir(), 'raft-storage-'))
  let open: LevelStorage | undefined
  return {
    open: () => (open = new LevelStorage(path)),
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
})

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
      await editing(path, (database) => database.del('hard-state'))
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
