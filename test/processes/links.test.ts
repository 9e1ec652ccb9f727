// Faults of links in a proxied cluster of real processes, as clients and nodes notice them.
import { readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { type ClusterOptions, startCluster, type StartedCluster } from '@faultline/director'
import { createTopic, DIST, kafkaFor, until } from '../support/cluster.ts'

const start = (options: ClusterOptions = {}) =>
  startCluster({ brokers: 3, controllers: 1, proxied: true, ...toxiproxy(), ...options }, DIST)

/** A real Toxiproxy, where one is. */
function toxiproxy(): ClusterOptions {
  const url = process.env['TOXIPROXY_URL']
  return url === undefined ? {} : { toxiproxy: url }
}

/** A producer that goes on in the background, and how many of its records were acknowledged. */
async function traffic(cluster: StartedCluster) {
  const kafka = kafkaFor(cluster.bootstrap)
  await createTopic(kafka, 'orders', 1)
  const producer = kafka.producer()
  await producer.connect()
  let acknowledged = 0
  let running = true
  const done = (async () => {
    while (running) {
      await producer.send({ topic: 'orders', acks: -1, messages: [{ value: 'x' }] })
      acknowledged++
    }
  })()
  const more = async (count: number) => {
    const before = acknowledged
    await until(`${count} more records`, async () => acknowledged >= before + count)
  }
  const stop = async () => {
    running = false
    await done
    await producer.disconnect()
  }
  return { more, stop }
}

function reach(port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve('open')
    })
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code!))
  })
}

/** Another broker than the leader, by its name. */
async function followerOf(cluster: StartedCluster): Promise<string> {
  const leader = await cluster.waitForLeader('orders-0')
  return `broker:${[1, 2, 3].find((id) => id !== leader)}`
}

describe('a link', () => {
  it('that is cut on the replication plane costs the follower its place in the ISR, and healed it has it back', async () => {
    await using cluster = await start()
    const { more, stop } = await traffic(cluster)
    const follower = await followerOf(cluster)
    await cluster.fault({ family: 'link', kind: 'cut', from: follower, to: 'leader:orders-0', plane: 'replication' })
    await cluster.waitForIsr('orders-0', 2)
    await more(10)
    await cluster.healAll()
    await cluster.waitForIsr('orders-0', 3)
    await stop()
  })

  it('that is cut one way loses what is sent that way alone: a broker that is not heard is fenced, though it hears all', async () => {
    await using cluster = await start()
    const { more, stop } = await traffic(cluster)
    const follower = await followerOf(cluster)
    const stateOf = async () => (await cluster.cluster.nodes()).find((n) => n.name === follower)!.state
    await cluster.fault({
      family: 'link',
      kind: 'cut',
      from: follower,
      to: 'controller:101',
      plane: 'control',
      with: { ways: 'one' },
    })
    await cluster.waitForIsr('orders-0', 2)
    // Cut off from the controller, it does not know that it is fenced, as in Kafka.
    expect(await stateOf()).toBe('running')
    await more(10)
    await cluster.healAll()
    await cluster.waitForIsr('orders-0', 3)
    await stop()
  })

  it('cannot be broken where nodes are linked directly', async () => {
    await using cluster = await startCluster({ brokers: 1, controllers: 1 }, DIST)
    for (const moment of [{}, { in: '1h' }])
      await expect(cluster.fault({ family: 'link', kind: 'cut', ...moment })).rejects.toThrow(
        'links go directly from node to node',
      )
  })
})

/** The proxy process of the cluster, on Linux. */
function proxyPid(cluster: StartedCluster): number {
  const supervisor = String(cluster.cluster.folder.supervisor()!.pid)
  const parentOf = (pid: string) => {
    try {
      return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')[1]
    } catch {
      return undefined
    }
  }
  const children = readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && parentOf(pid) === supervisor)
  return Number(children.find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('faultline-proxy')))
}

describe('the proxies of a cluster', () => {
  it.skipIf(process.platform !== 'linux' || process.env['TOXIPROXY_URL'])(
    'are made again when they end, and what was broken stays so',
    async () => {
      await using cluster = await start()
      const { more, stop } = await traffic(cluster)
      const ended = new AbortController()
      const restored = (async () => {
        for await (const { event, toxics } of cluster.events(0, ended.signal)) if (event === 'links.restored') return toxics
      })()
      const follower = await followerOf(cluster)
      await cluster.fault({ family: 'link', kind: 'cut', from: follower, to: 'leader:orders-0', plane: 'replication' })
      await cluster.waitForIsr('orders-0', 2)
      process.kill(proxyPid(cluster), 'SIGKILL')
      // Both ways of both links between the two.
      expect(await restored).toBe(4)
      await more(10)
      await cluster.waitForIsr('orders-0', 2)
      await cluster.healAll()
      await cluster.waitForIsr('orders-0', 3)
      await stop()
    },
  )
})

describe('all links', () => {
  it('go through proxies: with every one of them cut, nobody hears anybody', async () => {
    await using cluster = await start({ controllers: 3 })
    await cluster.fault({ family: 'link', kind: 'refuse' })
    const states = async () => new Map((await cluster.cluster.nodes()).map((n) => [n.name, n.state]))
    await until('controllers that lead nobody', async () => {
      const all = await states()
      return [101, 102, 103].every((id) => all.get(`controller:${id}`) !== 'active')
    })
    const ports = cluster.bootstrap.split(',').map((address) => Number(address.split(':')[1]))
    expect(await Promise.all(ports.map(reach))).toEqual(['ECONNREFUSED', 'ECONNREFUSED', 'ECONNREFUSED'])
    await cluster.healAll()
    await until('a cluster that is well', async () => {
      const all = await states()
      return [...all.values()].includes('active') && [1, 2, 3].every((id) => all.get(`broker:${id}`) === 'running')
    })
  }, 90_000)
})
