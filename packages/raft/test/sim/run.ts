// One seed: a world, faults for a while, then calm, in which the group must get going again and agree.
import { Prng } from '@faultline/base'
import { Violation } from './checker.ts'
import { Cluster } from './cluster.ts'
import { beFierce, CALM, drawNature } from './nature.ts'
import { NOTHING_PLANTED, type Planted } from './planted.ts'

export interface Outcome {
  readonly seed: number
  readonly violation: Violation | undefined
  readonly digest: number
  readonly events: number
  readonly committed: number
  readonly reads: number
  readonly elections: number
  readonly installs: number
}

export async function runSeed(seed: number, planted: Planted = NOTHING_PLANTED, trail?: string[]): Promise<Outcome> {
  const random = new Prng(seed)
  const natures = random.fork('nature')
  const drawn = drawNature(natures)
  // A planted mistake has to be found soon.
  const nature = planted !== NOTHING_PLANTED || natures.below(4) === 0 ? beFierce(drawn) : drawn
  const cluster = new Cluster(random.fork('cluster'), nature, planted, trail)
  let violation: Violation | undefined
  try {
    await Promise.all(cluster.members.map((id) => cluster.start(id)))
    beTroubled(cluster, random.fork('faults'))
    await cluster.run(cluster.nature.durationMs)
    await becomeCalm(cluster)
    await agree(cluster)
    await standByLeader(cluster)
  } catch (error) {
    if (!(error instanceof Violation)) throw error
    violation = error
  }
  const { digest, events, reads, elections, installs } = cluster
  return { seed, violation, digest, events, committed: cluster.checker.committedUpTo, reads, elections, installs }
}

function beTroubled(cluster: Cluster, random: Prng): void {
  const { every, downMs, cutMs, voters, durationMs } = cluster.nature
  const { world } = cluster
  const end = world.now + durationMs
  const repeat = (kind: string, everyMs: number, act: (random: Prng) => void): void => {
    const own = random.fork(kind)
    const next = (): void =>
      void world.after(-Math.log(1 - own.next()) * everyMs, () => {
        if (world.now >= end) return
        act(own)
        next()
      })
    next()
  }
  const anyone = (own: Prng): number => cluster.members[own.below(cluster.members.length)]!
  // What happens to a leader tells more than what happens to others.
  const someone = (own: Prng): number => (own.below(2) === 0 ? cluster.leader()?.status().id : undefined) ?? anyone(own)
  repeat('crash', every.crash, (own) => {
    const id = someone(own)
    cluster.crash(id, own.below((cluster.nodes.get(id)?.storage.pending ?? 0) + 1))
    world.after(own.next() * 2 * downMs, () => void cluster.start(id))
  })
  let cuts = 0
  repeat('cut', every.cut, (own) => {
    cutSome(cluster, own, someone(own))
    const mine = ++cuts
    world.after(own.next() * 2 * cutMs, () => mine === cuts && cluster.network.heal())
  })
  repeat('transfer', every.transfer, (own) => {
    const to = own.below(2) === 0 ? undefined : voters[own.below(voters.length)]
    for (const id of cluster.members) cluster.act(id, (driver) => driver.transferLeadership(to))
  })
  repeat('propose', every.propose, (own) => {
    const [id, count] = [someone(own), 1 + own.below(3)]
    cluster.act(id, (driver) => {
      for (let i = 0; i < count; i++) driver.propose(own.bytes(1 + own.below(40)))
    })
  })
  // Everywhere, as it is the deposed leader that must not answer.
  repeat('read', every.read, () => {
    for (const id of cluster.members) cluster.act(id, () => cluster.read(id))
  })
}

/** In place of what was cut before: one node, one side, some links, all but a chain of links, two nodes; some in one direction only. */
function cutSome(cluster: Cluster, random: Prng, lone: number): void {
  const { members, network } = cluster
  const pair = (from: number, to: number, bothWays: boolean): void => {
    network.cut(from, to)
    if (bothWays) network.cut(to, from)
  }
  network.heal()
  const shape = Math.max(0, random.below(6) - 1)
  const bothWays = random.below(3) > 0
  const mate = members[random.below(members.length)]!
  cluster.note(() => `cut of shape ${shape} around ${lone}${bothWays ? '' : ', one way'}`)
  for (const from of members)
    for (const to of members) {
      const [i, j] = [members.indexOf(from), members.indexOf(to)]
      if (shape === 0 && from === lone && to !== lone) pair(from, to, bothWays)
      if (shape === 1 && i < members.length / 2 && j >= members.length / 2) pair(from, to, bothWays)
      if (shape === 2 && from !== to && random.below(4) === 0) pair(from, to, bothWays)
      if (shape === 4 && (from === lone || from === mate) && to !== lone && to !== mate) pair(from, to, bothWays)
      if (shape === 3 && Math.abs(i - j) > 1) pair(from, to, true)
    }
}

/** Repairs everything and gives the group time to elect. */
async function becomeCalm(cluster: Cluster): Promise<void> {
  cluster.note(() => 'calm')
  cluster.network.heal()
  cluster.network.become(CALM)
  cluster.becomeCalm()
  await Promise.all(cluster.members.map((id) => cluster.start(id)))
  await cluster.run(8000)
}

/** New proposals are committed, and everybody ends in the same state. */
async function agree(cluster: Cluster): Promise<void> {
  const leader = cluster.leader()
  if (!leader) throw new Violation('Progress', 'no leader although nothing is wrong any more')
  const proposed = await proposeOne(cluster)
  await cluster.run(1000)
  const { checker } = cluster
  if (checker.committedUpTo < proposed)
    throw new Violation('Progress', `entry ${proposed} is not committed although nothing is wrong any more`)
  for (const id of cluster.members) {
    const { index, digest } = checker.applied(id)
    const same = index === checker.committedUpTo && digest === checker.digestAt(index)
    if (!same) throw new Violation('Progress', `node ${id} is at ${index}, committed up to ${checker.committedUpTo}`)
  }
}

async function proposeOne(cluster: Cluster): Promise<number> {
  let index: number | undefined
  const { id } = cluster.leader()!.status()
  cluster.act(id, (driver) => {
    index = driver.propose(new Uint8Array([1]))?.index
  })
  if (index === undefined) throw new Violation('Progress', `leader ${id} takes no proposals although nothing is wrong any more`)
  return index
}

/**
 * A follower that was cut off disturbs nobody when it returns, nor does one that can be heard but does not hear the leader (KIP-996:
 * stable leadership).
 */
async function standByLeader(cluster: Cluster): Promise<void> {
  const { voters, timing } = cluster.nature
  const { network } = cluster
  const before = cluster.leader()!.status()
  const lone = voters.find((id) => id !== before.id)
  if (lone === undefined || voters.length === 2) return
  for (const id of cluster.members) {
    network.cut(id, lone)
    network.cut(lone, id)
  }
  await cluster.run(timing.electionTimeoutMs * 5)
  network.heal()
  await cluster.run(timing.electionTimeoutMs)
  network.cut(before.id, lone)
  await cluster.run(timing.electionTimeoutMs * 5)
  network.heal()
  await cluster.run(timing.electionTimeoutMs)
  const after = cluster.leader()?.status()
  if (after?.id !== before.id || after.term !== before.term)
    throw new Violation(
      'StableLeadership',
      `leader ${before.id} of term ${before.term} was deposed by ${lone}, which had lost it`,
    )
}
