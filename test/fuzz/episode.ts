// One fuzzed cluster: a seed decides its size, its clients, and every frame they send. Throws what went wrong, with the last frames.
import { type ByteStream, Prng } from '@faultline/base'
import { Connection, Producer } from '@faultline/client'
import {
  type Api,
  encodeFrame,
  encodeRequestHeader,
  Errors,
  fetch,
  decodeRecords,
  isBatchProblem,
  RecordBatch,
} from '@faultline/protocol'
import { World } from '@faultline/sim'
import { HANDLERS } from '../../packages/broker/src/api/index.ts'
import { type Answer, FuzzConnection } from './fuzz-connection.ts'
import { mutate } from './mutations.ts'
import { randomRequest } from './requests.ts'
import { LEDGER, Vocabulary } from './vocabulary.ts'

const CLIENTS = 10
const LEDGER_PAUSE_MS = 40
/** A client that waits rightly leaves after this long; one that is owed an answer at once waits much longer before it complains. */
const IMPATIENCE_MS = 700
const PATIENCE_MS = 60_000
/** Kept to be shown when something goes wrong. */
const REMEMBERED_FRAMES = 12

const SETTINGS = {
  'offsets.topic.num.partitions': '2',
  'offsets.topic.replication.factor': '1',
  'group.initial.rebalance.delay.ms': '0',
  'num.partitions': '2',
  'log.cleaner.backoff.ms': '300',
  'log.flush.scheduler.interval.ms': '200',
  'log.retention.check.interval.ms': '400',
}

/** Everything that would let the cluster drop or refuse records of the ledger, held fast on the topic itself. */
const LEDGER_CONFIGS = {
  'cleanup.policy': 'delete',
  'retention.ms': '-1',
  'retention.bytes': '-1',
  'max.message.bytes': '1048588',
  'min.insync.replicas': '1',
  'message.timestamp.before.max.ms': '9223372036854775807',
  'message.timestamp.after.max.ms': '9223372036854775807',
}

export interface EpisodeResult {
  readonly frames: number
  /** Answers by "Api vN". */
  readonly answered: ReadonlyMap<string, number>
  /** Connections that the cluster ended. */
  readonly ended: number
  readonly acknowledged: number
}

export class FuzzFailure extends Error {
  override readonly name = 'FuzzFailure'
}

export async function runEpisode(seed: number, frames: number): Promise<EpisodeResult> {
  const episode = new Episode(seed, frames)
  try {
    return await episode.run()
  } catch (error) {
    const { message, stack, cause } = error as Error
    const why = cause instanceof Error ? cause.stack : stack
    throw new FuzzFailure(`${message}\n${why}\nthe last frames, newest first:\n${episode.lastFrames()}`)
  }
}

class Episode {
  readonly #world: World
  readonly #random: Prng
  readonly #words: Vocabulary
  readonly #apis: readonly Api[] = HANDLERS.map((h) => h.api)
  readonly #served: ReadonlySet<number> = new Set(HANDLERS.map((h) => h.api.key))
  readonly #answered = new Map<string, number>()
  readonly #last: string[] = []
  readonly #frames: number
  #sent = 0
  #ended = 0
  #busy = 0
  /** Clients are cut off without a word, and that is right. */
  #restarting = false
  #wrong: string | undefined

  constructor(seed: number, frames: number) {
    this.#frames = frames
    this.#world = new World({ seed, brokers: 1 + (seed % 3), controllers: 1, settings: SETTINGS })
    this.#random = new Prng(seed).fork('fuzz')
    this.#words = new Vocabulary(this.#random, () => this.#topicIds())
  }

  lastFrames(): string {
    return this.#last.map((line) => `  ${line}\n`).join('')
  }

  async run(): Promise<EpisodeResult> {
    const world = this.#world
    await world.start()
    await this.#await('topics', this.#createTopics())
    const ledger = new Ledger(world)
    await world.runUntil('a first record', () => ledger.acknowledged.length > 0, 30_000)
    for (let i = 0; i < CLIENTS; i++) this.#client()
    await world.runUntil('half of the frames', () => this.#wrong !== undefined || this.#sent >= this.#frames / 2, 100_000_000)
    await this.#restart([1 + this.#random.below(world.brokerIds.length)])
    await world.runUntil('the end of the frames', () => this.#wrong !== undefined || this.#busy === 0, 100_000_000)
    if (this.#wrong !== undefined) throw new Error(this.#wrong)
    const before = ledger.acknowledged.length
    await world.runUntil('service after all this', () => ledger.acknowledged.length >= before + 5, 30_000)
    ledger.stop()
    await world.runUntil('the last acknowledgement', () => ledger.idle, 30_000)
    await this.#await('the ledger', this.#verify(ledger))
    await this.#restart([...world.controllerIds, ...world.brokerIds])
    await world.runUntil('a leader of the ledger', () => this.#highWatermark() >= ledger.end, 60_000)
    await this.#await('the ledger after all', this.#verify(ledger))
    await world.runUntil('connections to be forgotten', () => this.#connections() === 0, 30_000)
    return { frames: this.#sent, answered: this.#answered, ended: this.#ended, acknowledged: ledger.acknowledged.length }
  }

  async #createTopics(): Promise<void> {
    const client = this.#world.client('setup')
    const replicas = this.#world.brokerIds.length
    await client.createTopic(LEDGER, 1, replicas, LEDGER_CONFIGS)
    await client.createTopic('orders', 2, replicas, {})
    await client.createTopic('payments', 1, 1, { 'compression.type': 'lz4' })
    await client.createTopic('compacted', 1, replicas, { 'cleanup.policy': 'compact' })
    await client.createTopic('brief', 1, replicas, { 'message.timestamp.type': 'LogAppendTime', 'max.message.bytes': '300' })
    client.close()
  }

  /** The processes end between two events and begin again: what the frames have left on disk is loaded. */
  async #restart(nodes: readonly number[]): Promise<void> {
    const world = this.#world
    this.#restarting = true
    for (const id of nodes) world.crash(id)
    for (const id of nodes) {
      if (world.controllerIds.includes(id)) world.startController(id)
      else world.startBroker(id)
    }
    await world.runUntil('a restart', () => world.brokerIds.every((id) => world.broker(id)?.state === 'running'), 120_000)
    this.#restarting = false
  }

  #leader(): number {
    return this.#world.image?.topicsByName.get(LEDGER)?.partitions[0]?.leader ?? -1
  }

  /** As the leader knows it. */
  #highWatermark(): number {
    const partition = this.#world.broker(this.#leader())?.replicas.byName(LEDGER, 0)
    return partition?.leads ? partition.log.highWatermark : -1
  }

  #topicIds(): string[] {
    return [...(this.#world.image?.topicsByName.values() ?? [])].filter((t) => t.name !== LEDGER).map((t) => t.id)
  }

  #connections(): number {
    return this.#world.brokerIds.reduce((sum, id) => sum + this.#world.broker(id)!.connectionCount, 0)
  }

  async #await(what: string, work: Promise<void>): Promise<void> {
    let done = false
    let failed: Error | undefined
    work.then(
      () => (done = true),
      (error: Error) => (failed = error),
    )
    await this.#world.runUntil(what, () => done || failed !== undefined, 60_000)
    if (failed) throw failed
  }

  /** A client: sends a few frames, waits for what it is owed, goes on, on a new connection where the last one ended. */
  #client(): void {
    this.#busy++
    let connection: FuzzConnection | undefined
    let turn = 0
    let scheduled = false
    const goOn = (): void => {
      if (scheduled) return
      scheduled = true
      this.#world.clients.after(0, next)
    }
    const leave = (): void => {
      connection?.close()
      connection = undefined
      goOn()
    }
    const settled = (open: boolean): void => {
      if (!open) {
        this.#ended++
        connection = undefined
      }
      goOn()
    }
    const next = (): void => {
      scheduled = false
      if (this.#wrong !== undefined) return
      if (this.#sent >= this.#frames) {
        connection?.close()
        connection = undefined
        this.#busy--
        return
      }
      const current = (connection ??= this.#connect(settled))
      const mine = ++turn
      const stillMine = () => turn === mine && connection === current && !scheduled
      current.send(this.#someFrames())
      if (current.settled) return current.incomplete ? leave() : goOn()
      this.#world.clients.after(IMPATIENCE_MS, () => {
        if (stillMine() && (current.incomplete || current.mayWait)) leave()
      })
      this.#world.clients.after(PATIENCE_MS, () => {
        if (stillMine()) this.#fail(`no answer, owed: ${current.describeOwed()}`)
      })
    }
    next()
  }

  #connect(onSettled: (open: boolean) => void): FuzzConnection {
    const stream: ByteStream = this.#dial(1 + this.#random.below(this.#world.brokerIds.length))
    return new FuzzConnection(stream, this.#served, {
      onAnswer: (answer) => this.#learn(answer),
      onSettled,
      onDenied: (what) => {
        if (!this.#restarting) this.#fail(`the connection was closed instead of an answer to ${what}`)
      },
      onWrong: (what) => this.#fail(what),
    })
  }

  #dial(broker: number): ByteStream {
    const [listener] = this.#world.image!.brokers.get(broker)!.listeners
    return this.#world.clients.dial(listener!.host, listener!.port)
  }

  #fail(what: string): void {
    this.#wrong ??= what
  }

  #someFrames(): Uint8Array[] {
    const words = this.#words
    const count = words.pick([1, 1, 1, 2, 5])
    const frames = Array.from({ length: count }, () => this.#frame())
    const bytes = Buffer.concat(frames)
    if (bytes.length < 2 || words.chance(0.7)) return [bytes]
    const cut = 1 + this.#random.below(bytes.length - 1)
    return [bytes.subarray(0, cut), bytes.subarray(cut)]
  }

  #frame(): Buffer {
    const words = this.#words
    const api = words.pick(this.#apis)
    const apiVersion = api.minVersion + this.#random.below(api.maxVersion - api.minVersion + 1)
    const header = encodeRequestHeader({
      apiKey: api.key,
      apiVersion,
      correlationId: this.#sent++,
      clientId: words.pick(['fuzz', 'fuzz', null, '', '__admin_client']),
    })
    const body = api.request.encode(randomRequest(words, api, apiVersion) as never, apiVersion)
    const sound = Buffer.concat(encodeFrame(header, body))
    const mutated = words.chance(0.25)
    const frame = mutated ? mutate(words, sound) : sound
    this.#last.unshift(`${mutated ? 'mutated ' : ''}${api.name} v${apiVersion} ${frame.subarray(0, 300).toString('hex')}`)
    this.#last.length = Math.min(this.#last.length, REMEMBERED_FRAMES)
    return frame
  }

  #learn({ api, version, request, response }: Answer): void {
    const key = `${api.name} v${version}`
    this.#answered.set(key, (this.#answered.get(key) ?? 0) + 1)
    const words = this.#words
    if (typeof response.memberId === 'string') {
      const { memberId, generationId } = response
      words.remember(words.memberIds, response.memberId)
      words.remember(words.memberships, { groupId: request.groupId, memberId, generationId })
    }
    if (typeof response.producerId === 'number') words.remember(words.producerIds, response.producerId)
    if (api.name === 'Fetch' && typeof response.sessionId === 'number' && response.sessionId > 0) {
      if (!words.sessions.some((s) => s.id === response.sessionId)) {
        words.remember(words.sessions, { id: response.sessionId, epoch: 1 })
      }
    }
  }

  async #verify(ledger: Ledger): Promise<void> {
    const leader = this.#leader()
    const connection = new Connection({ dial: () => this.#dial(leader) }, '', 0, 'verify')
    const values: string[] = []
    while (values.length < ledger.end) {
      const found = await readLedger(connection, values.length)
      if (found.length === 0) throw new Error(`the ledger ends at ${values.length}, ${ledger.end} were acknowledged`)
      values.push(...found)
    }
    for (const { offset, value } of ledger.acknowledged) {
      if (values[offset] !== value) throw new Error(`${value} was acknowledged at ${offset}, there is ${values[offset]}`)
    }
    connection.close()
  }
}

async function readLedger(connection: Connection, fetchOffset: number): Promise<string[]> {
  const partitions = [{ partition: 0, fetchOffset, partitionMaxBytes: 1_000_000 }]
  const reply = await connection.request(fetch, 12, { maxWaitMs: 0, minBytes: 0, topics: [{ topic: LEDGER, partitions }] })
  const { errorCode, records } = reply.responses[0]!.partitions[0]!
  if (errorCode !== Errors.NONE) throw new Error(`the ledger cannot be read: error ${errorCode}`)
  const values: string[] = []
  for (let at = 0; records !== null && at < records.length;) {
    const batch = new RecordBatch(records, at)
    const decoded = decodeRecords(batch)
    if (isBatchProblem(decoded)) throw new Error(`an unreadable batch at offset ${batch.baseOffset}`)
    for (const record of decoded) if (record.offset >= fetchOffset) values.push(Buffer.from(record.value!).toString())
    at += batch.sizeInBytes
  }
  return values
}

/** Writes on while others rave, and remembers what was acknowledged. */
class Ledger {
  readonly acknowledged: { offset: number; value: string }[] = []
  idle = false
  #running = true
  readonly #client: ReturnType<World['client']>

  constructor(world: World) {
    this.#client = world.client('ledger')
    void this.#run()
  }

  get end(): number {
    return Math.max(...this.acknowledged.map((a) => a.offset)) + 1
  }

  stop(): void {
    this.#running = false
  }

  async #run(): Promise<void> {
    const producer = new Producer(this.#client)
    await producer.start()
    for (let i = 0; this.#running; i++) {
      const value = `record ${i}`
      const { offset } = await producer.send(LEDGER, 0, [Buffer.from(value)])
      this.acknowledged.push({ offset, value })
      await this.#client.pause(LEDGER_PAUSE_MS)
    }
    this.#client.close()
    this.idle = true
  }
}
