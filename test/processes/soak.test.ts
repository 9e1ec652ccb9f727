// All kinds of faults, armed and healed at random while a client produces: afterwards the cluster is well, nothing acknowledged is lost, and
// nobody has grown. `npm run soak` makes it a long run, with a seed that it prints.
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { Prng } from '@faultline/base'
import { type FaultRequestInput, startCluster, type StartedCluster } from '@faultline/director'
import { createTopic, DIST, kafkaFor, until } from '../support/cluster.ts'
import { type Traffic, trafficTo } from '../support/traffic.ts'

const ROUNDS = Number(process.env['SOAK'] ?? 60)
const SEED = Number(process.env['SOAK_SEED'] ?? 1)
/** Of those, in the first so many nobody ends: who lives long can be seen to grow. */
const QUIET_ROUNDS = Math.ceil(ROUNDS * 0.8)
/** Faults that are open at the same time. */
const OPEN = 2
/** So long, or until a record is acknowledged, each of them is met. */
const MOMENT_MS = 100
/** Between two looks at whether everything works again. */
const A_SPELL = 20
/** What caches may still take in. */
const GROWTH_MIB = 120

type Kind = Omit<FaultRequestInput, 'family'>
const of = (family: FaultRequestInput['family'], kinds: readonly Kind[]) => kinds.map((kind) => ({ family, ...kind }))

const QUIET: readonly FaultRequestInput[] = [
  ...of('protocol', [
    { kind: 'error', where: { apis: ['Produce'] }, with: { error: 'NOT_LEADER_OR_FOLLOWER' } },
    { kind: 'error', where: { apis: ['Produce'] }, with: { error: 'REQUEST_TIMED_OUT', stage: 'after' } },
    { kind: 'delay', with: { ms: 30 }, count: 3 },
    { kind: 'lose-reply', where: { apis: ['Produce'] }, when: 'partition(orders-0).highWatermark > 10' },
    { kind: 'lose-reply', where: { apis: ['Produce'] } },
    { kind: 'disconnect', nth: 3 },
    { kind: 'blackhole', where: { apis: ['Fetch', 'Metadata'] } },
    { kind: 'duplicate', where: { apis: ['Produce'] }, every: 3, count: 2 },
    { kind: 'metadata', with: { mode: 'wrong-leader' } },
    { kind: 'metadata', with: { mode: 'stale' } },
    { kind: 'cap-versions', with: { api: 'Produce', max: 7 } },
  ]),
  ...of('link', [
    { kind: 'latency', with: { latency: 20, jitter: 10 } },
    { kind: 'bandwidth', with: { rate: 500 } },
    { kind: 'slicer', with: { average_size: 200, size_variation: 50, delay: 100 } },
    { kind: 'slow-close', with: { delay: 50 } },
    { kind: 'timeout', from: 'clients', with: { timeout: 50, toxicity: 0.5 } },
    { kind: 'limit-data', from: 'clients', with: { bytes: 5000, toxicity: 0.5 } },
    { kind: 'reset-peer', from: 'clients', with: { timeout: 10, toxicity: 0.5 } },
    { kind: 'cut', from: 'broker:1', plane: 'replication' },
    { kind: 'cut', from: 'broker:2', to: 'controller:101', with: { ways: 'one' } },
    { kind: 'refuse', from: 'clients', to: 'broker:3' },
    { kind: 'flap', from: 'broker:3', with: { down: 20, up: 20 } },
    { kind: 'partition', with: { shape: 'ring', among: 'brokers' } },
  ]),
  ...of('storage', [{ kind: 'slow', every: 5, where: { file: 'log' }, with: { operation: 'write', ms: 5 } }]),
  ...of('clock', [
    { kind: 'step', node: 'broker:1', with: { ms: 5000 } },
    { kind: 'drift', node: 'broker:2', with: { rate: 2 } },
    { kind: 'freeze', node: 'broker:3' },
  ]),
  ...of('load', [
    { kind: 'connections', with: { count: 50 } },
    { kind: 'garbage' },
    { kind: 'huge-request' },
    { kind: 'slow-reader' },
  ]),
  ...of('process', [{ kind: 'pause', node: 'broker:2' }]),
]

/** All but the bit flip, which nobody is told of, so that a client may well be given it. */
const ENDING: readonly FaultRequestInput[] = [
  ...of('process', [
    { kind: 'kill', node: 'leader:orders-0' },
    { kind: 'kill', node: 'controller:101' },
    { kind: 'terminate', node: 'broker:1' },
    { kind: 'restart', node: 'leader:orders-1' },
    { kind: 'roll' },
    { kind: 'wipe', node: 'leader:orders-2' },
    { kind: 'crash-at-point', where: { point: 'produce.appended' }, count: 1 },
    { kind: 'pause-at-point', where: { point: 'replica.appended' }, count: 1 },
  ]),
  ...of('storage', [
    { kind: 'full', node: 'broker:1', where: { file: 'log' } },
    { kind: 'io-error', node: 'broker:2', with: { operation: 'write' }, count: 1 },
    { kind: 'torn-write', node: 'broker:3', where: { file: 'log' }, count: 1 },
  ]),
]

/** What may be answered to who asks for anything at any time. */
const REFUSED =
  /does not answer|contradicts|is not running|is paused already|no controller is active|has no leader now|there is no partition|no other replica is in sync|cannot be reached/

interface Memory {
  readonly name: string
  readonly pid: number
  readonly mib: number
}

async function memoryOf(cluster: StartedCluster): Promise<Memory[]> {
  const reports = await cluster.cluster.status()
  const brokers = reports.flatMap(({ name, pid, report }) => {
    const memory = report?.['memory'] as { rss: number } | undefined
    return memory ? [{ name, pid, mib: memory.rss / 1024 / 1024 }] : []
  })
  const { pid } = cluster.cluster.folder.supervisor()!
  const status = `/proc/${pid}/status`
  const kib = existsSync(status) ? /^VmRSS:\s+(\d+)/m.exec(readFileSync(status, 'utf8'))![1] : 0
  return [...brokers, { name: 'supervisor', pid, mib: Number(kib) / 1024 }]
}

/** Some are open at any time; each is given a moment in which clients meet it. */
class Soak {
  /** How many of those that were armed have hit, too. */
  readonly told = { armed: 0, refused: 0, hit: 0 }
  readonly #cluster: StartedCluster
  readonly #traffic: Traffic
  readonly #random: Prng
  readonly #open: string[] = []

  constructor(cluster: StartedCluster, traffic: Traffic, random: Prng) {
    this.#cluster = cluster
    this.#traffic = traffic
    this.#random = random
  }

  async run(kinds: readonly FaultRequestInput[], from: number, to: number): Promise<void> {
    for (let round = from; round < to; round++) {
      await this.#arm(kinds[this.#random.below(kinds.length)]!, round)
      await this.#traffic.more(1, MOMENT_MS).catch(() => {})
      if (this.#open.length > OPEN) await this.#heal(this.#open.splice(this.#random.below(this.#open.length), 1)[0]!)
    }
    while (this.#open.length > 0) await this.#heal(this.#open.pop()!)
  }

  async #arm(kind: FaultRequestInput, round: number): Promise<void> {
    const chance = kind.family === 'protocol' && (kind.nth ?? kind.every ?? kind.count ?? kind.when) === undefined
    const request = { ...kind, ttl: '5s', ...(chance ? { probability: 0.3, seed: round } : {}) } as FaultRequestInput
    try {
      this.#open.push((await this.#cluster.fault(request)).id)
      this.told.armed++
    } catch (error) {
      expect((error as Error).message).toMatch(REFUSED)
      this.told.refused++
    }
  }

  async #heal(id: string): Promise<void> {
    if ((await this.#cluster.heal(id)).hits > 0) this.told.hit++
  }
}

/** Whom a disk has ended is started by who mended it. */
async function startEnded(cluster: StartedCluster): Promise<void> {
  for (const { name, state } of await cluster.cluster.nodes()) if (state.startsWith('stopped')) await cluster.restart(name)
}

async function expectWell(cluster: StartedCluster, traffic: Traffic): Promise<void> {
  await cluster.healAll()
  await until('all nodes', async () => {
    await startEnded(cluster)
    return (await cluster.cluster.nodes()).every((n) => n.state === 'running' || n.state === 'active')
  })
  for (const partition of [0, 1, 2]) await cluster.waitForIsr(`orders-${partition}`, 3, 60_000)
  await traffic.more(20)
  expect((await cluster.faults()).filter((f) => f.state === 'armed' || f.state === 'waiting')).toEqual([])
}

describe('faults at random', () => {
  it(`${ROUNDS} of them leave a cluster that is well (seed ${SEED})`, async () => {
    await using cluster = await startCluster({ brokers: 3, controllers: 1, proxied: true }, DIST)
    const kafka = kafkaFor(cluster.bootstrap)
    await createTopic(kafka, 'orders', 3)
    const traffic = await trafficTo(kafka, 'orders')
    await traffic.more(50)
    const faults = new Soak(cluster, traffic, new Prng(SEED))

    const before = await memoryOf(cluster)
    for (let round = 0; round < QUIET_ROUNDS; round += A_SPELL) {
      await faults.run(QUIET, round, Math.min(round + A_SPELL, QUIET_ROUNDS))
      await cluster.healAll()
      await traffic.more(20)
    }
    await expectWell(cluster, traffic)
    const after = await memoryOf(cluster)
    const grown = after.map(({ name, pid, mib }) => {
      const was = before.find((b) => b.name === name)!
      expect(pid, `${name} is another process`).toBe(was.pid)
      return `${name} ${was.mib.toFixed(0)} -> ${mib.toFixed(0)} MiB`
    })
    if (process.env['SOAK']) console.log(`memory over ${QUIET_ROUNDS} faults: ${grown.join(', ')}`)
    after.forEach(({ mib, name }) =>
      expect(mib - before.find((b) => b.name === name)!.mib, grown.join()).toBeLessThan(GROWTH_MIB),
    )

    for (let round = QUIET_ROUNDS; round < ROUNDS; round += 5) {
      await faults.run([...ENDING, ...ENDING, ...QUIET], round, Math.min(round + 5, ROUNDS))
      await startEnded(cluster)
    }
    await expectWell(cluster, traffic)
    await traffic.stop()
    await traffic.expectAllThere()
    const { armed, refused, hit } = faults.told
    if (process.env['SOAK']) console.log(`${armed} armed, of which ${hit} hit; ${refused} refused`)
    if (process.env['SOAK']) console.log(`${traffic.acknowledged.length} records acknowledged, none lost`)
  }, 3_600_000)
})
