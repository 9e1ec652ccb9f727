// faultline produce, consume.
import { createInterface } from 'node:readline'
import { print, printJson } from '../output.ts'
import type { Target } from '../target.ts'
import { answered, kafkaOf } from './kafka.ts'

interface Options extends Target {
  readonly output: 'text' | 'json'
}

const BATCH_LINES = 500
const COMMIT_MS = 1000
/** Ctrl-C waits for a fetch that is under way. */
const FETCH_MS = 500

export interface ProduceOptions extends Options {
  readonly keys: boolean
  readonly transactionalId?: string
}

/** With a transactional id, everything is one transaction, which is committed where the input ends. */
export async function produce(topic: string, options: ProduceOptions): Promise<void> {
  const { output, keys, transactionalId } = options
  const producer = (await kafkaOf(options)).producer({
    idempotent: true,
    ...(transactionalId && { transactionalId, maxInFlightRequests: 1 }),
  })
  await answered(async () => {
    await producer.connect()
    const transaction = transactionalId ? await producer.transaction() : undefined
    let sent = 0
    let batch: { key: string | null; value: string }[] = []
    const flush = async () => {
      if (batch.length === 0) return
      await (transaction ?? producer).send({ topic, acks: -1, messages: batch })
      sent += batch.length
      batch = []
    }
    for await (const line of createInterface({ input: process.stdin })) {
      const colon = keys ? line.indexOf(':') : -1
      batch.push(colon < 0 ? { key: null, value: line } : { key: line.slice(0, colon), value: line.slice(colon + 1) })
      if (batch.length >= BATCH_LINES || process.stdin.isTTY || transaction) await flush()
    }
    await flush()
    await transaction?.commit()
    await producer.disconnect()
    if (output === 'json') printJson({ topic, acknowledged: sent })
    else print(`${sent} records ${transaction ? 'committed' : 'acknowledged by every in-sync replica'}`)
  })
}

export async function consume(
  topic: string,
  options: Options & { readonly fromBeginning: boolean; readonly max: number; readonly group?: string },
): Promise<void> {
  const consumer = (await kafkaOf(options)).consumer({
    groupId: options.group ?? `faultline-${process.pid}`,
    maxWaitTimeInMs: FETCH_MS,
  })
  await answered(async () => {
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: options.fromBeginning })
    let seen = 0
    const done = new Promise<void>((resolve) => {
      process.once('SIGINT', resolve)
      void consumer.run({
        autoCommit: options.group !== undefined,
        autoCommitInterval: COMMIT_MS,
        eachMessage: async ({ partition, message }) => {
          if (options.max > 0 && seen >= options.max) return
          show(options.output, partition, message)
          if (++seen === options.max) resolve()
        },
      })
    })
    await done
    await consumer.disconnect()
  })
}

function show(
  output: string,
  partition: number,
  message: { offset: string; key: Buffer | null; value: Buffer | null; timestamp: string },
): void {
  const { offset, key, value, timestamp } = message
  if (output === 'json')
    printJson({
      partition,
      offset: Number(offset),
      timestamp: Number(timestamp),
      key: key?.toString() ?? null,
      value: value?.toString() ?? null,
    })
  else print(`${partition}:${offset} ${key ? `${key} ` : ''}${value ?? '(null)'}`)
}
