// How many records go into clusters that differ in one thing, in turns: kafkajs, acks=all, three replicas. Benchmarks of what such a thing costs use it.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Kafka, logLevel, Partitioners } from 'kafkajs'

const CLI = join(import.meta.dirname, '../bin/faultline.mjs')
const ROUNDS = 5
const MIB = 48
const RECORD = Buffer.alloc(1024, 'x')
const RECORDS_A_SEND = 256
const IN_FLIGHT = 4

function faultline(...args) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CLI, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
    let out = ''
    child.stdout.on('data', (text) => (out += text))
    child.on('exit', (code) => (code === 0 ? resolve(out) : reject(new Error(`faultline ${args[0]} ended with ${code}`))))
  })
}

/** MiB a second, of the acknowledged ones. */
async function round({ options = [], prepare = async () => {} }) {
  const dir = mkdtempSync(join(tmpdir(), 'fl-bench-'))
  try {
    const up = await faultline('up', '--dir', dir, '--port', '0', '--detach', '-o', 'json', ...options)
    const { bootstrap } = JSON.parse(up)
    await prepare(dir)
    const kafka = new Kafka({ brokers: bootstrap.split(','), logLevel: logLevel.NOTHING })
    const admin = kafka.admin()
    await admin.connect()
    await admin.createTopics({ topics: [{ topic: 'orders', numPartitions: 6, replicationFactor: 3 }], waitForLeaders: true })
    await admin.disconnect()
    const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner, maxInFlightRequests: IN_FLIGHT })
    await producer.connect()
    await send(producer, 8)
    const began = performance.now()
    await send(producer, MIB)
    const rate = MIB / ((performance.now() - began) / 1000)
    await producer.disconnect()
    return rate
  } finally {
    await faultline('down', '--dir', dir)
    rmSync(dir, { recursive: true, force: true })
  }
}

async function send(producer, mib) {
  let left = (mib * 1024) / RECORDS_A_SEND
  const messages = Array.from({ length: RECORDS_A_SEND }, () => ({ value: RECORD }))
  const one = async () => {
    while (left-- > 0) await producer.send({ topic: 'orders', acks: -1, messages })
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, one))
}

/** Of each kind the median of all rounds, which is printed. `options` are those of `up`; `prepare` is given the cluster's folder. */
export async function compare(kinds) {
  const rates = Object.fromEntries(Object.keys(kinds).map((kind) => [kind, []]))
  for (let i = 0; i < ROUNDS; i++) for (const [kind, how] of Object.entries(kinds)) rates[kind].push(await round(how))
  const median = (kind) => rates[kind].sort((a, b) => a - b)[ROUNDS >> 1]
  const range = (kind) => `${rates[kind][0].toFixed(1)} to ${rates[kind].at(-1).toFixed(1)}`
  for (const kind of Object.keys(kinds)) console.log(`${kind}: ${median(kind).toFixed(1)} MiB a second (${range(kind)})`)
  const [first, second] = Object.keys(kinds)
  console.log(`ratio: ${(median(second) / median(first)).toFixed(2)}`)
}
