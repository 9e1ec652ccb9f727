// faultline demo: kill the leader of orders-0 under load, let it come back, and judge what became of every record.
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Refusal } from '@faultline/base'
import { Cluster, FAST_SETTINGS } from '@faultline/director'
import { Kafka, logLevel } from 'kafkajs'
import { newEvidenceFolder, writeEvidence } from '../failover/evidence.ts'
import { History } from '../failover/history.ts'
import { Narrator } from '../failover/narrator.ts'
import { Screen } from '../failover/screen.ts'
import { type PartitionView, Timeline } from '../failover/timeline.ts'
import { type Fault, judge, MIN_ACKNOWLEDGED, type Verdict } from '../failover/verdict.ts'
import { Workload } from '../failover/workload.ts'
import { printJson, table } from '../output.ts'
import { nodeTable } from './up.ts'

export interface DemoOptions {
  readonly output: 'text' | 'json'
  readonly keep: boolean
}

const TOPIC = 'orders'
const PARTITIONS = 12
const VICTIM = 0
/** How long the producer goes on under the new leader before the old one comes back. */
const AFTER_ELECTION_MS = 2000
const EXIT_CODES = { pass: 0, fail: 1, inconclusive: 2 } as const

export async function demo(options: DemoOptions): Promise<void> {
  const screen = new Screen(options.output === 'json')
  const run = new FailoverRun(screen)
  const interrupted = () => void run.end(false).then(() => process.exit(130))
  process.once('SIGINT', interrupted)
  process.once('SIGTERM', interrupted)
  let verdict: Verdict
  try {
    verdict = await run.play()
  } finally {
    await run.end(options.keep)
  }
  if (options.output === 'json') printJson({ ...verdict, evidence: run.evidence })
  else run.report(verdict, options.keep)
  process.exit(EXIT_CODES[verdict.outcome])
}

class FailoverRun {
  readonly evidence = newEvidenceFolder()
  readonly #screen: Screen
  readonly #history = new History()
  readonly #timeline = new Timeline(TOPIC)
  readonly #narrator: Narrator
  #cluster: Cluster | undefined
  #workload: Workload | undefined
  #fault: Fault | undefined
  #ended = false

  constructor(screen: Screen) {
    this.#screen = screen
    this.#narrator = new Narrator(screen, this.#timeline, TOPIC, PARTITIONS)
  }

  async play(): Promise<Verdict> {
    const cluster = await this.#startCluster()
    await this.#startWorkload(cluster)
    this.#screen.count(() => this.#counters())
    await this.#until(
      'the steady state',
      30_000,
      () => this.#history.acknowledged.length >= MIN_ACKNOWLEDGED * 3 && this.#history.readCount >= MIN_ACKNOWLEDGED,
    )
    this.#screen.event(`steady: ${this.#history.acknowledged.length} records acknowledged, ${this.#history.readCount} read`)
    await this.#killLeader(cluster)
    await pause(AFTER_ELECTION_MS)
    await this.#bringBack(cluster)
    await pause(AFTER_ELECTION_MS / 2)
    await this.#workload!.stopProducing()
    await this.#readToTheEnd()
    const verdict = judge(this.#history, this.#fault)
    writeEvidence(this.evidence, cluster.folder, this.#history, this.#timeline, verdict)
    return verdict
  }

  async end(keep: boolean): Promise<void> {
    if (this.#ended) return
    this.#ended = true
    this.#screen.stop()
    this.#timeline.stop()
    await this.#workload?.stop()
    if (!keep) await this.#cluster?.down(true).catch(() => {})
  }

  async #startCluster(): Promise<Cluster> {
    this.#screen.line('starting 3 controllers and 3 brokers, as processes\n')
    const cluster = await Cluster.start({
      folder: mkdtempSync(join(tmpdir(), 'faultline-')),
      program: __dirname,
      detached: false,
      brokers: 3,
      controllers: 3,
      port: 0,
      host: '127.0.0.1',
      advertise: '127.0.0.1',
      racks: [],
      settings: {},
      fast: true,
    })
    this.#cluster = cluster
    const nodes = await cluster.ready()
    this.#screen.line(nodeTable(nodes))
    this.#screen.line(
      `\nshorter than Kafka's, for work at a screen: ${Object.entries(FAST_SETTINGS)
        .map((e) => e.join('='))
        .join(' ')}\n`,
    )
    for (const node of nodes) this.#timeline.follow(cluster.folder, node)
    return cluster
  }

  async #startWorkload(cluster: Cluster): Promise<void> {
    const brokers = cluster.bootstrap.split(',')
    const admin = new Kafka({ brokers, logLevel: logLevel.NOTHING }).admin()
    await admin.connect()
    const configEntries = [{ name: 'min.insync.replicas', value: '2' }]
    await admin.createTopics({
      waitForLeaders: true,
      topics: [{ topic: TOPIC, numPartitions: PARTITIONS, replicationFactor: 3, configEntries }],
    })
    await admin.disconnect()
    this.#screen.event(`created ${TOPIC}: ${PARTITIONS} partitions, replication factor 3, min.insync.replicas 2`)
    this.#workload = new Workload({ brokers, topic: TOPIC, partitions: PARTITIONS, history: this.#history })
    await this.#workload.start()
    this.#screen.event('kafkajs produces (acks=all, idempotent) and consumes (a group)')
    this.#timeline.onEvent = (event) => this.#narrator.hear(event)
  }

  async #killLeader(cluster: Cluster): Promise<void> {
    const leaderBefore = (await this.#partitions(cluster))[VICTIM]!.leader
    const killedMs = Date.now()
    const killed = await cluster.act('kill', `leader:${TOPIC}-${VICTIM}`)
    this.#screen.event(`SIGKILL to ${killed.name} (pid ${killed.pid}), the leader of ${TOPIC}-${VICTIM}`)
    const victimMoved = () => this.#timeline.story(VICTIM).find((s) => s.t >= killedMs && s.leader >= 0 && s.leader !== killed.id)
    await this.#until('an election', 30_000, () => victimMoved() !== undefined)
    this.#fault = { partition: VICTIM, killedBroker: killed.id, leaderBefore, killedMs, electedMs: victimMoved()!.t }
    const acked = () => this.#history.sent.some((s) => s.partition === VICTIM && s.ackedMs !== undefined && s.sentMs > killedMs)
    await this.#until('the producer to go on', 30_000, acked)
    this.#screen.event(`the producer goes on: ${TOPIC}-${VICTIM} acknowledges again`)
  }

  async #bringBack(cluster: Cluster): Promise<void> {
    const name = `broker:${this.#fault!.killedBroker}`
    const back = await cluster.act('restart', name)
    this.#screen.event(`${name} starts again (pid ${back.pid}) on its old log`)
    await this.#until('the broker to come back', 30_000, async () =>
      (await cluster.nodes()).some((n) => n.name === name && n.state === 'running'),
    )
    this.#timeline.follow(cluster.folder, back)
    await this.#until('every ISR to be full', 60_000, async () =>
      (await this.#partitions(cluster)).every((p) => p.isr.length === p.replicas.length),
    )
    this.#screen.event('every ISR is full again')
  }

  async #readToTheEnd(): Promise<void> {
    const wanted = this.#history.acknowledged.length
    this.#screen.event(`the producer stops after ${wanted} acknowledgements; the consumer reads to the end`)
    await this.#until('the consumer', 15_000, () => this.#history.readCount >= this.#history.sent.length).catch(() => {})
  }

  async #partitions(cluster: Cluster): Promise<readonly PartitionView[]> {
    const active = (await cluster.status()).find((n) => n.report?.state === 'active')
    const topics = (active?.report?.topics ?? []) as { name: string; partitions: PartitionView[] }[]
    return topics.find((t) => t.name === TOPIC)?.partitions ?? []
  }

  #counters(): string {
    const { leader, leaderEpoch } = this.#timeline.now(VICTIM) ?? { leader: '?', leaderEpoch: 0 }
    const acked = this.#history.acknowledged.length
    return `acknowledged ${acked}  read ${this.#history.readCount}  under-replicated ${this.#narrator.underReplicated}/${PARTITIONS}  ${TOPIC}-${VICTIM}: leader ${leader}, epoch ${leaderEpoch}`
  }

  async #until(what: string, limitMs: number, condition: () => boolean | Promise<boolean>): Promise<void> {
    const deadline = Date.now() + limitMs
    while (!(await condition())) {
      if (Date.now() > deadline)
        throw new Refusal('TIMED_OUT', `waited ${limitMs / 1000} s for ${what}`, `look at the evidence in ${this.evidence}`)
      await pause(50)
    }
  }

  report(verdict: Verdict, kept: boolean): void {
    const { line } = this.#screen
    line(`\n${this.#isrStory()}`)
    line(`
VERDICT: ${verdict.outcome.toUpperCase()}
  acknowledged    ${verdict.acknowledged} (${verdict.acknowledgedBefore} before the kill, ${verdict.acknowledgedAfter} sent after the election)
  found           ${verdict.found}
  lost            ${verdict.lost}
  duplicated      ${verdict.duplicated}
  out of order    ${verdict.outOfOrder}
  longest time without an acknowledgement  ${seconds(verdict.longestGapMs)} of any partition, ${seconds(verdict.longestGapOfVictimMs)} of ${TOPIC}-${VICTIM}`)
    for (const reason of verdict.reasons) line(`  ${reason}`)
    line(`\nevidence: ${this.evidence}`)
    line(kept ? `the cluster runs on: npx faultline status` : '')
    line(`next:
  npx faultline up --fast                  a cluster of your own to break
  npx faultline topics create orders --partitions 12 --rf 3
  npx faultline kill leader:orders-0       while your application runs`)
  }

  #isrStory(): string {
    const start = this.#fault?.killedMs ?? 0
    const rows = Array.from({ length: PARTITIONS }, (_, p) => {
      const story = this.#timeline.story(p).filter((s) => s.t >= start)
      return [
        `${TOPIC}-${p}`,
        story.map((s) => `+${seconds(s.t - start)} [${s.isr.join(' ')}] led by ${s.leader} in epoch ${s.leaderEpoch}`).join('  '),
      ]
    })
    return table(['PARTITION', 'ISR SINCE THE KILL'], rows)
  }
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)}s`
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
