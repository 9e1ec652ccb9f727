// What a client sees of faults of links.
import { connect } from 'node:net'
import type { FaultRequestInput, FaultView } from '@faultline/director'
import { Errors } from '@faultline/protocol'
import { expect } from 'vitest'
import { until } from '../support/cluster.ts'
import { describeTopics, msOf, produceTo, type Stage } from './stage.ts'
import type { Stories, Story } from './story.ts'

const BROKER = 'broker:1'

/** What clients send to a broker is broken. */
function clients(stage: Stage, kind: string, parameters: FaultRequestInput['with'] = {}): Promise<FaultView> {
  return stage.add('link', kind, { from: 'clients', to: BROKER, with: parameters })
}

/** Healed, clients are answered again. */
function ends(kind: string, parameters: FaultRequestInput['with']): Story {
  return {
    seen: 'the connection ends without an answer',
    async show(stage) {
      await stage.hit(await clients(stage, kind, parameters))
      const ask = () =>
        stage.onConnection(BROKER, async (c) => [await describeTopics(c), await describeTopics(c), await describeTopics(c)])
      await expect(ask()).rejects.toThrow()
      await stage.control.healAll()
      expect(await ask()).toHaveLength(3)
    },
  }
}

export const LINK: Stories = {
  latency: {
    seen: 'answers are late',
    async show(stage) {
      await stage.hit(await clients(stage, 'latency', { latency: 300 }))
      expect(await msOf(() => stage.onConnection(BROKER, describeTopics))).toBeGreaterThan(290)
    },
  },
  bandwidth: {
    seen: 'much takes long',
    async show(stage) {
      const { leader } = await stage.leaderAndFollower()
      await stage.hit(await stage.add('link', 'bandwidth', { from: 'clients', to: leader, with: { rate: 100 } }))
      const produced = () => stage.onConnection(leader, (c) => produceTo(c, 'probed', new Uint8Array(60_000)))
      expect(await msOf(produced)).toBeGreaterThan(400)
    },
  },
  slicer: {
    seen: 'a request that arrives in small pieces is answered',
    async show(stage) {
      await stage.hit(await clients(stage, 'slicer', { average_size: 10, delay: 20_000 }))
      let topics: unknown
      expect(await msOf(async () => ({ topics } = await stage.onConnection(BROKER, describeTopics)))).toBeGreaterThan(50)
      expect(topics).toMatchObject([{ name: 'probed', errorCode: Errors.NONE }])
    },
  },
  'slow-close': {
    seen: 'a connection that the broker closes ends late',
    async show(stage) {
      await stage.hit(await stage.add('link', 'slow-close', { from: BROKER, to: 'clients', with: { delay: 400 } }))
      const [host, port] = stage.addressOf(BROKER).split(':')
      const closed = () =>
        new Promise<void>((resolve) => {
          const socket = connect(Number(port), host, () => socket.write(Buffer.from([0xff, 0xff, 0xff, 0xff])))
          socket.on('error', () => {}).on('close', () => resolve())
          socket.resume()
        })
      expect(await msOf(closed)).toBeGreaterThan(390)
    },
  },
  timeout: ends('timeout', { timeout: 100 }),
  'reset-peer': ends('reset-peer', { timeout: 0 }),
  'limit-data': ends('limit-data', { bytes: 100 }),
  cut: {
    seen: 'nothing arrives, nothing is closed; healed, clients come anew',
    async show(stage) {
      await stage.onConnection(BROKER, async (connection) => {
        await describeTopics(connection)
        await stage.hit(await clients(stage, 'cut'))
        let seen: string | undefined
        const answer = describeTopics(connection).then(
          () => (seen = 'answered'),
          () => (seen = 'closed'),
        )
        // Time enough for an answer.
        await stage.onConnection('broker:2', describeTopics)
        expect(seen).toBeUndefined()
        await stage.control.healAll()
        expect(await answer).toBe('closed')
      })
    },
  },
  refuse: {
    seen: 'connections are refused',
    async show(stage) {
      await stage.hit(await clients(stage, 'refuse'))
      await expect(stage.onConnection(BROKER, describeTopics)).rejects.toThrow()
    },
  },
  flap: {
    seen: 'a follower is cut off and comes back, again and again',
    async show(stage) {
      const { leader, follower } = await stage.leaderAndFollower()
      const often = { from: follower, to: leader, plane: 'replication', with: { down: 100, up: 100 } } as const
      await stage.hit(await stage.add('link', 'flap', often))
      await stage.traffic.more(30)
    },
  },
  partition: {
    seen: 'a broker that nobody hears leaves the ISR',
    async show(stage) {
      const fault = await stage.add('link', 'partition', { with: { shape: 'isolate', among: 'brokers' } })
      await stage.hit(fault)
      await until('a smaller ISR', async () => Math.min(...stage.isrSizes(fault)) < 3)
    },
  },
}
