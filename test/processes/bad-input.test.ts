// Real sockets and a real broker process: what the simulator cannot measure, which is memory.
import { connect, type Socket } from 'node:net'
import { encodeFrame, encodeRequestHeader, fetch } from '@faultline/protocol'
import type { Connection } from '@faultline/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectTo, createSingle, readAll, send } from '../support/client.ts'
import { startTestCluster, type TestCluster, until } from '../support/cluster.ts'

const MIB = 1024 * 1024

let test: TestCluster

beforeAll(async () => {
  test = await startTestCluster({ brokers: 1, controllers: 1, settings: { 'connections.max.idle.ms': '6000' } })
  await onConnection((client) => createSingle(client, 'a', { 'max.message.bytes': String(2 * MIB) }))
})
afterAll(() => test[Symbol.asyncDispose]())

/** A connection for each piece of work: those that rest are left, which is what this is about. */
async function onConnection<T>(work: (client: Connection) => Promise<T>): Promise<T> {
  const client = connectTo(test.bootstrap)
  try {
    return await work(client)
  } finally {
    client.close()
  }
}

interface Report {
  readonly connections: number
  readonly requests: number
  readonly malformed: number
  readonly memory: { readonly rss: number; readonly external: number }
}

async function report(): Promise<Report> {
  const found = (await test.cluster.status()).find((n) => n.role === 'broker')!.report
  return found as unknown as Report
}

async function open(): Promise<Socket> {
  const [host, port] = test.bootstrap.split(':')
  const socket = connect(Number(port), host)
  socket.on('error', () => {})
  await new Promise<void>((resolve) => socket.once('connect', () => resolve()))
  return socket
}

const ended = (socket: Socket) =>
  new Promise<void>((resolve) => (socket.closed ? resolve() : socket.once('close', () => resolve())))

/** Others are served meanwhile. */
async function serves(value: string): Promise<void> {
  expect((await onConnection((client) => send(client, 'a', value))).errorCode).toBe(0)
}

describe('a broker process', () => {
  it('ends connections that talk garbage, and counts them', async () => {
    const before = await report()
    const garbage = [
      'GET / HTTP/1.1\r\n\r\n',
      '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03',
      '\x7f\xff\xff\xff',
      '\xff\xff\xff\xff',
      '\0\0\0\0',
    ]
    for (const text of garbage) {
      const socket = await open()
      socket.write(Buffer.from(text, 'latin1'))
      socket.resume()
      await ended(socket)
    }
    expect((await report()).malformed - before.malformed).toBe(garbage.length)
    await serves('after garbage')
  })

  it('holds 500 connections, idle, half-open or announcing the largest frame, in little memory, and leaves them in the end', async () => {
    const before = await report()
    const sockets = await Promise.all(Array.from({ length: 500 }, open))
    sockets.forEach((socket, i) => {
      if (i % 3 === 1) socket.write(Buffer.from([0, 0, 0]))
      if (i % 3 === 2) socket.write(Buffer.from([0x06, 0x3f, 0xff, 0xff, 1, 2, 3]))
      socket.resume()
    })
    await until('500 connections', async () => (await report()).connections >= 500)
    const { memory } = await report()
    expect(memory.rss - before.memory.rss).toBeLessThan(100 * MIB)
    await serves('beside 500')
    await Promise.all(sockets.map(ended))
    await until('their end', async () => (await report()).connections < 10)
  }, 30_000)

  it('does not answer into memory for a client that does not read', async () => {
    await serves('x'.repeat(MIB / 2))
    const before = await report()
    const socket = await open()
    socket.pause()
    const header = encodeRequestHeader({ apiKey: fetch.key, apiVersion: 12, correlationId: 1, clientId: 'slow' })
    const topics = [{ topic: 'a', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 2 * MIB }] }]
    const frame = Buffer.concat(encodeFrame(header, fetch.request.encode({ maxWaitMs: 0, topics }, 12)))
    for (let i = 0; i < 200; i++) socket.write(frame)
    await new Promise((resolve) => setTimeout(resolve, 1000))
    await serves('beside a slow reader')
    const after = await report()
    expect(after.requests - before.requests).toBeLessThan(60)
    expect(after.memory.rss - before.memory.rss).toBeLessThan(100 * MIB)
    let received = 0
    socket.on('data', (chunk: Buffer) => (received += chunk.length))
    socket.resume()
    await until('all answers', async () => received > 200 * MIB)
    socket.destroy()
    expect((await onConnection((client) => readAll(client, 'a'))).length).toBe(4)
  }, 30_000)
})
