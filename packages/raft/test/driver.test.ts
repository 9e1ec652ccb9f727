// The driver on virtual ports: start, elect, propose, commit, read, hand over, compact, stop.
import { Prng } from '@faultline/base'
import { describe, expect, it } from 'vitest'
import { DEFAULT_TIMING, type Entry, RaftDriver, type RoleStatus, type Snapshot } from '../src/index.ts'
import { VirtualDisk, VirtualStorage } from './sim/virtual-storage.ts'
import { World } from './sim/world.ts'

class Group {
  readonly world = new World()
  readonly disks = new Map<number, VirtualDisk>()
  readonly drivers = new Map<number, RaftDriver>()
  readonly applied = new Map<number, Entry[]>()
  readonly roles = new Map<number, RoleStatus[]>()
  readonly snapshots = new Map<number, Snapshot[]>()
  readonly fatal: Error[] = []
  readonly voters: readonly number[]
  readonly learners: readonly number[]
  blocked = (_from: number, _to: number): boolean => false
  diskFails = (_id: number): boolean => false
  onCommitted = (_id: number, _entries: readonly Entry[]): void => {}

  constructor(voters: readonly number[], learners: readonly number[] = []) {
    this.voters = voters
    this.learners = learners
  }

  async start(id: number): Promise<RaftDriver> {
    const { world, voters, learners } = this
    const disk = this.disks.get(id) ?? new VirtualDisk()
    this.disks.set(id, disk)
    const storage = new VirtualStorage(disk, {
      after: (ms, run) => void world.after(ms, run),
      delayMs: () => 2,
      fails: () => this.diskFails(id),
    })
    const driver: RaftDriver = new RaftDriver({
      id,
      voters,
      learners,
      clock: world.clock(),
      random: new Prng(id),
      storage,
      timing: DEFAULT_TIMING,
      send: (to, message) => void world.after(1, () => this.blocked(id, to) || this.drivers.get(to)?.receive(id, message)),
      onCommitted: (entries) => {
        this.applied.get(id)!.push(...entries)
        this.onCommitted(id, entries)
      },
      onSnapshot: (snapshot) => void this.snapshots.get(id)!.push(snapshot),
      onRole: (status) => void this.roles.get(id)!.push(status),
      onFatal: (error) => void this.fatal.push(error),
    })
    for (const log of [this.applied, this.roles, this.snapshots]) log.set(id, [])
    this.drivers.set(id, driver)
    await driver.start()
    return driver
  }

  async startAll(): Promise<void> {
    for (const id of [...this.voters, ...this.learners]) await this.start(id)
  }

  run(ms: number): void {
    const until = this.world.now + ms
    while (this.world.step(until));
  }

  get leader(): RaftDriver {
    return [...this.drivers.values()].find((driver) => driver.status().role === 'leader')!
  }

  texts(id: number): string[] {
    return this.applied.get(id)!.map((entry) => new TextDecoder().decode(entry.data))
  }
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

describe('driver', () => {
  it('elects a new cluster within 200 ms and commits on every node within a few', async () => {
    const group = new Group([1, 2, 3], [4])
    await group.startAll()
    group.run(200)
    expect(group.leader.propose(bytes('a'))).toEqual({ index: 2, term: 1 })
    expect(group.leader.propose(bytes('b'))).toEqual({ index: 3, term: 1 })
    group.run(10)
    for (const id of [1, 2, 3, 4]) expect(group.texts(id)).toEqual(['', 'a', 'b'])
  })

  it('elects a single voter at once', async () => {
    const group = new Group([7])
    const driver = await group.start(7)
    group.run(10)
    expect(driver.status().role).toBe('leader')
    expect(driver.propose(bytes('a'))).toEqual({ index: 2, term: 1 })
    const read = driver.readIndex()
    group.run(10)
    expect(group.texts(7)).toEqual(['', 'a'])
    expect(await read).toBe(1)
  })

  it('replaces a leader that is gone, and goes on where it stopped', async () => {
    const group = new Group([1, 2, 3])
    await group.startAll()
    group.run(200)
    const first = group.leader
    const { id } = first.status()
    first.propose(bytes('a'))
    group.run(20)
    first.stop()
    group.drivers.delete(id)
    group.run(6000)
    expect(group.leader.status().term).toBeGreaterThan(1)
    group.leader.propose(bytes('b'))
    group.run(20)
    await group.start(id)
    group.run(1000)
    for (const each of [1, 2, 3]) expect(group.texts(each).filter((text) => text !== '')).toEqual(['a', 'b'])
  })

  it('hands over leadership without waiting for a timeout, and takes no proposals meanwhile', async () => {
    const group = new Group([1, 2, 3])
    await group.startAll()
    group.run(200)
    const old = group.leader
    const to = [1, 2, 3].find((id) => id !== old.status().id)!
    old.transferLeadership(to)
    expect(old.propose(bytes('a'))).toBeUndefined()
    group.run(20)
    expect(group.leader.status().id).toBe(to)
  })

  it('confirms reads with a quorum and rejects those of a leader that was cut off', async () => {
    const group = new Group([1, 2, 3])
    await group.startAll()
    group.run(200)
    const old = group.leader
    const { id, commit } = old.status()
    const good = old.readIndex()
    group.run(10)
    expect(await good).toBe(commit)
    group.blocked = (from, to) => from === id || to === id
    const bad = old.readIndex()
    const outcome = bad.then(
      () => 'answered',
      (error: Error) => error.name,
    )
    group.run(6000)
    expect(await outcome).toBe('NotLeader')
    expect(old.status().role).not.toBe('leader')
  })

  it('sends a snapshot to a follower that is too far behind, and restarts from one', async () => {
    const group = new Group([1, 2, 3])
    await group.startAll()
    group.run(200)
    const slow = [1, 2, 3].find((id) => id !== group.leader.status().id)!
    group.drivers.get(slow)!.stop()
    group.drivers.delete(slow)
    for (let i = 0; i < 20; i++) group.leader.propose(bytes(`${i}`))
    group.run(20)
    group.leader.compact(15, bytes('state at 15'))
    group.run(20)
    await group.start(slow)
    group.run(1000)
    expect(group.snapshots.get(slow)!.map((snapshot) => snapshot.index)).toEqual([15])
    expect(
      group.applied
        .get(slow)!
        .map((entry) => entry.index)
        .slice(-6),
    ).toEqual([16, 17, 18, 19, 20, 21])
    group.drivers.get(slow)!.stop()
    await group.start(slow)
    expect(group.snapshots.get(slow)!.map((snapshot) => snapshot.index)).toEqual([15])
  })

  it('elects soon after a majority is up, however late that is', async () => {
    const group = new Group([1, 2, 3])
    await group.start(1)
    group.run(20_000)
    await group.start(3)
    group.run(200)
    expect(group.leader.status().term).toBe(1)
  })

  it('may be called back from its own callbacks', async () => {
    const group = new Group([1, 2, 3])
    group.onCommitted = (id, entries) => {
      const driver = group.drivers.get(id)!
      const { index } = entries.at(-1)!
      if (index < 10) driver.propose(bytes(`after ${index}`))
      else driver.compact(index, bytes(`state at ${index}`))
    }
    await group.startAll()
    group.run(500)
    for (const id of [1, 2, 3]) {
      expect(group.applied.get(id)!.map((entry) => entry.index)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
      expect(group.drivers.get(id)!.entriesSinceSnapshot().snapshot?.index).toBe(10)
    }
  })

  it('stops for good when its disk fails', async () => {
    const group = new Group([1, 2, 3])
    await group.startAll()
    group.run(200)
    const { leader } = group
    const { id } = leader.status()
    group.diskFails = (of) => of === id
    const read = leader.readIndex()
    leader.propose(bytes('a'))
    group.run(3000)
    expect(group.fatal.map((error) => error.name)).toEqual(['DiskFailure'])
    expect(leader.propose(bytes('b'))).toBeUndefined()
    await expect(read.then(() => leader.readIndex())).rejects.toMatchObject({ name: 'NotLeader' })
    expect(leader.status().commit).toBe(1)
    group.drivers.delete(id)
    group.run(3000)
    // The others had the entry, and it is committed there.
    expect(group.leader.propose(bytes('c'))?.index).toBe(4)
    expect(group.texts(group.leader.status().id)).toEqual(['', 'a', ''])
  })

  it('stops for good when applying fails, which is a mistake of the node', async () => {
    const group = new Group([1])
    group.onCommitted = () => {
      throw new Error('cannot apply')
    }
    const driver = await group.start(1)
    group.run(100)
    expect(group.fatal.map((error) => error.message)).toEqual(['cannot apply'])
    expect(driver.propose(bytes('a'))).toBeUndefined()
  })

  it('does not start on a disk that cannot be trusted', async () => {
    const group = new Group([1])
    const disk = new VirtualDisk()
    disk.rotten.add('hardState')
    group.disks.set(1, disk)
    await expect(group.start(1)).rejects.toMatchObject({ name: 'RaftStorageCorruption' })
  })

  it('says how far everybody is', async () => {
    const group = new Group([1, 2, 3], [4])
    await group.startAll()
    group.run(200)
    const status = group.leader.status()
    expect([...status.voters, ...status.learners].map((member) => member.matchIndex)).toEqual([1, 1, 1, 1])
    for (const member of status.voters) expect(member.lastContactMs).toBeLessThan(DEFAULT_TIMING.heartbeatMs)
    const follower = [...group.drivers.values()].find((driver) => driver.status().role === 'follower')!
    expect(follower.status().voters.filter((member) => member.matchIndex === -1).length).toBe(2)
  })

  it('ignores garbage and counts it', async () => {
    const group = new Group([1, 2, 3])
    const driver = await group.start(1)
    const random = new Prng(5)
    for (let i = 0; i < 500; i++) driver.receive(2, random.bytes(random.below(40)))
    driver.receive(9, new Uint8Array([1, 10, 1]))
    expect(driver.status().malformed).toBeGreaterThan(490)
  })
})
