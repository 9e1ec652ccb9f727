// One replication link runs through a TCP proxy that is cut and healed: the follower leaves the ISR, produce goes on, the follower returns.
import { readFileSync, writeFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { createTopic, leaderOf, replicasOf, startTestCluster, until } from '../support/cluster.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'

it('a follower whose link is cut leaves the ISR, and catches up when it is healed', async () => {
  await using test = await startTestCluster()
  await createTopic(test.kafka, 'orders', 1)
  const { leader } = (await leaderOf(test.cluster, 'orders', 0))!
  const follower = leader === 1 ? 2 : 1
  const path = test.cluster.folder.config(`broker:${follower}`)
  const config = JSON.parse(readFileSync(path, 'utf8')) as { links: Record<string, string> }
  const link = config.links[`${leader}/replication`]!
  await using proxy = await TcpProxy.to('127.0.0.1', Number(link.split(':')[1]))
  config.links[`${leader}/replication`] = `127.0.0.1:${proxy.port}`
  writeFileSync(path, JSON.stringify(config))
  await test.cluster.act('restart', `broker:${follower}`)
  const isr = async () => (await leaderOf(test.cluster, 'orders', 0))?.isr ?? []
  await until('a full ISR through the proxy', async () => (await isr()).length === 3)

  const producer = test.kafka.producer({ idempotent: true })
  await producer.connect()
  const send = (value: string) => producer.send({ topic: 'orders', acks: -1, messages: [{ value, partition: 0 }] })
  await send('before')
  proxy.cut()
  await send('while cut')
  expect(await until('an ISR without the follower', async () => !(await isr()).includes(follower) && (await isr()))).toHaveLength(
    2,
  )
  const cutOff = (await replicasOf(test.cluster, 'orders', 0)).get(follower)!
  expect(cutOff.logEndOffset).toBe(1)
  proxy.heal()
  await until('the follower in the ISR', async () => (await isr()).includes(follower))
  await send('after')
  await producer.disconnect()
  const replicas = [...(await replicasOf(test.cluster, 'orders', 0)).values()]
  expect(replicas.map((r) => r.logEndOffset)).toEqual([3, 3, 3])
})
