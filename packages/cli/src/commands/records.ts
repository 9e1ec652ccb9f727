// faultline produce, consume.
import { createInterface } from 'node:readline'
import { print, printJson } from '../output.ts'
import { answered, kafkaOf } from './kafka.ts'

interface Options {
  readonly dir: string
  readonly output: 'text' | 'json'
}

const BATCH_LINES = 500

export async function produce(topic: string, { dir, output, keys }: Options & { readonly keys: boolean }): Promise<void> {
  const producer = kafkaOf(dir).producer({ idempotent: true })
  await answered(async () => {
    await producer.connect()
    let sent = 0
    let batch: { key: string | null; value: string }[] = []
    const flush = async () => {
      if (batch.length === 0) return
      await producer.send({ topic, acks: -1, messages: batch })
      sent += batch.length
      batch = []
    }
    for await (const line of createInterface({ input: process.stdin })) {
      const colon = keys ? line.indexOf(':') : -1
      batch.push(colon < 0 ? { key: null, value: line } : { key: line.slice(0, colon), value: line.slice(colon + 1) })
      if (batch.length >= BATCH_LINES || process.stdin.isTTY) await flush()
    }
    await flush()
    await producer.disconnect()
    if (output === 'json') printJson({ topic, acknowledged: sent })
    else print(`${sent} records acknowledged by every in-sync replica`)
  })
}

export async function consume(
  topic: string,
  options: Options & { readonly fromBeginning: boolean; readonly max: number },
): Promise<void> {
  const consumer = kafkaOf(options.dir).consumer({ groupId: `faultline-${process.pid}` })
  await answered(async () => {
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: options.fromBeginning })
    let seen = 0
    const done = new Promise<void>((resolve) => {
      process.once('SIGINT', resolve)
      void consumer.run({
        autoCommit: false,
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
