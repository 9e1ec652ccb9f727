// What every RaftStorage must do; run on the virtual one here and on LevelDB in packages/node.
import { Prng } from '@faultline/base'
import { describe, expect, it } from 'vitest'
import type { Batch, Entry, RaftStorage, Survived } from '../src/index.ts'

/** One disk, on which storages are opened one after another. */
export interface StorageUnderTest {
  open(): RaftStorage
  /** Waits until what was begun is done; virtual time needs a push. */
  settle(): Promise<void>
  /** Makes a stored record unreadable. */
  damage(what: 'hardState' | 'snapshot' | number): Promise<void>
  dispose(): Promise<void>
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
export const entry = (index: number, term: number, text = `${index}@${term}`): Entry => ({ index, term, data: bytes(text) })
const run = (from: number, to: number, term: number): Entry[] =>
  Array.from({ length: to - from + 1 }, (_, i) => entry(from + i, term))

export function storageContract(name: string, create: () => Promise<StorageUnderTest>): void {
  describe(`${name} as RaftStorage`, () => {
    const using = async (test: (disk: Disk) => Promise<void>): Promise<void> => {
      const under = await create()
      try {
        await test(new Disk(under))
      } finally {
        await under.dispose()
      }
    }

    it('starts empty', () =>
      using(async (disk) => {
        expect(await disk.reopen()).toEqual({ hardState: { term: 0, vote: -1, commit: 0 }, snapshot: undefined, entries: [] })
      }))

    it('keeps term, vote, commit and entries with any bytes', () =>
      using(async (disk) => {
        const data = new Prng(1).bytes(100_000)
        const entries = [entry(1, 1, ''), { index: 2, term: 3, data }]
        const hardState = { term: 3, vote: 2, commit: 1 }
        await disk.write({ hardState, entries })
        expect(await disk.reopen()).toEqual({ hardState, snapshot: undefined, entries })
      }))

    it('replaces a conflicting tail in one write', () =>
      using(async (disk) => {
        await disk.write({ hardState: { term: 1, vote: 1, commit: 2 }, entries: run(1, 9, 1) })
        await disk.write({ hardState: { term: 2, vote: -1, commit: 4 }, truncateFrom: 5, entries: run(5, 6, 2) })
        const { entries } = await disk.reopen()
        expect(entries).toEqual([...run(1, 4, 1), ...run(5, 6, 2)])
      }))

    it('goes on where it stopped', () =>
      using(async (disk) => {
        await disk.write({ hardState: { term: 1, vote: 1, commit: 0 }, entries: run(1, 5, 1) })
        await disk.reopen()
        await disk.write({ truncateFrom: 4, entries: run(4, 4, 1) })
        expect((await disk.reopen()).entries).toEqual(run(1, 4, 1))
      }))

    it('puts a snapshot in the place of the log before it', () =>
      using(async (disk) => {
        const snapshot = { index: 3, term: 1, data: bytes('state at 3') }
        await disk.write({ hardState: { term: 1, vote: 1, commit: 4 }, entries: run(1, 5, 1) })
        await disk.write({ snapshot, entries: run(6, 6, 1) })
        const survived = await disk.reopen()
        expect(survived.snapshot).toEqual(snapshot)
        expect(survived.entries).toEqual(run(4, 6, 1))
      }))

    it("puts a leader's snapshot in the place of everything", () =>
      using(async (disk) => {
        const snapshot = { index: 40, term: 3, data: bytes('state at 40') }
        await disk.write({ hardState: { term: 1, vote: 1, commit: 2 }, entries: run(1, 5, 1) })
        await disk.write({ hardState: { term: 3, vote: -1, commit: 40 }, truncateFrom: 1, snapshot, entries: [] })
        await disk.write({ entries: run(41, 42, 3) })
        expect(await disk.reopen()).toEqual({ hardState: { term: 3, vote: -1, commit: 40 }, snapshot, entries: run(41, 42, 3) })
      }))

    it('survives two snapshots in quick succession', () =>
      using(async (disk) => {
        await disk.write({ hardState: { term: 1, vote: 1, commit: 9 }, entries: run(1, 9, 1) })
        disk.begin({ snapshot: { index: 4, term: 1, data: bytes('state at 4') }, entries: [] })
        disk.begin({ snapshot: { index: 8, term: 1, data: bytes('state at 8') }, entries: run(10, 11, 1) })
        await disk.settle()
        const survived = await disk.reopen()
        expect(survived.snapshot?.index).toBe(8)
        expect(survived.entries).toEqual(run(9, 11, 1))
      }))

    it('finishes writes in the order in which they were begun', () =>
      using(async (disk) => {
        const order: number[] = []
        await disk.reopen()
        for (let i = 1; i <= 50; i++)
          disk.begin({ hardState: { term: i, vote: -1, commit: 0 }, entries: [entry(i, i)] }, () => order.push(i))
        await disk.settle()
        expect(order).toEqual(Array.from({ length: 50 }, (_, i) => i + 1))
        expect((await disk.reopen()).hardState.term).toBe(50)
      }))

    it('drops a damaged tail that was not known to be committed', () =>
      using(async (disk) => {
        await disk.write({ hardState: { term: 1, vote: 1, commit: 3 }, entries: run(1, 6, 1) })
        await disk.damage(4)
        expect((await disk.reopen()).entries).toEqual(run(1, 3, 1))
        await disk.write({ entries: run(4, 4, 1) })
        expect((await disk.reopen()).entries).toEqual(run(1, 4, 1))
      }))

    for (const what of ['hardState', 'snapshot', 4] as const)
      it(`refuses when ${typeof what === 'number' ? 'a committed entry' : `the ${what}`} is damaged`, () =>
        using(async (disk) => {
          await disk.write({ hardState: { term: 1, vote: 1, commit: 5 }, entries: run(1, 6, 1) })
          await disk.write({ snapshot: { index: 2, term: 1, data: bytes('state at 2') }, entries: [] })
          await disk.damage(what)
          await expect(disk.reopen()).rejects.toMatchObject({ name: 'RaftStorageCorruption' })
        }))

    it('equals a plain model under random writes', () => using((disk) => againstModel(disk, new Prng(77))))
  })
}

class Disk {
  readonly #under: StorageUnderTest
  #storage: RaftStorage | undefined
  constructor(under: StorageUnderTest) {
    this.#under = under
  }

  async reopen(): Promise<Survived> {
    await this.#storage?.close()
    this.#storage = this.#under.open()
    return this.#storage.load()
  }

  begin(batch: Batch, done: () => void = () => {}): void {
    this.#storage!.persist(batch, (error) => {
      expect(error).toBeUndefined()
      done()
    })
  }

  async write(batch: Batch): Promise<void> {
    if (!this.#storage) await this.reopen()
    this.begin(batch)
    await this.settle()
  }

  settle(): Promise<void> {
    return this.#under.settle()
  }

  async damage(what: 'hardState' | 'snapshot' | number): Promise<void> {
    await this.#storage?.close()
    this.#storage = undefined
    await this.#under.damage(what)
  }
}

async function againstModel(disk: Disk, random: Prng): Promise<void> {
  await disk.reopen()
  let model: Survived = { hardState: { term: 0, vote: -1, commit: 0 }, snapshot: undefined, entries: [] }
  for (let i = 0; i < 120; i++) {
    const batch = randomBatch(model, random)
    model = apply(model, batch)
    disk.begin(batch)
    if (random.below(4) === 0) await disk.settle()
    if (random.below(12) > 0) continue
    await disk.settle()
    expect(await disk.reopen()).toEqual(model)
  }
}

function randomBatch({ hardState, snapshot, entries }: Survived, random: Prng): Batch {
  const term = hardState.term + random.below(2)
  const commit = hardState.commit
  const base = snapshot?.index ?? 0
  const last = base + entries.length
  const added = 1 + random.below(4)
  const from = last > commit && random.below(3) === 0 ? commit + 1 + random.below(last - commit) : last + 1
  const batch: Batch = {
    entries: run(from, from + added, Math.max(term, 1)),
    hardState: { term: Math.max(term, 1), vote: 1, commit },
  }
  if (from <= last) batch.truncateFrom = from
  if (commit > base && random.below(4) === 0) {
    const index = base + 1 + random.below(commit - base)
    batch.snapshot = { index, term: entries[index - base - 1]!.term, data: bytes(`state at ${index}`) }
  }
  batch.hardState!.commit = commit + random.below(from + added - commit + 1)
  return batch
}

function apply(model: Survived, { truncateFrom = Number.POSITIVE_INFINITY, snapshot, entries, hardState }: Batch): Survived {
  const base = snapshot?.index ?? 0
  const kept = model.entries.filter((each) => each.index < truncateFrom && each.index > base)
  return { hardState: hardState ?? model.hardState, snapshot: snapshot ?? model.snapshot, entries: [...kept, ...entries] }
}
