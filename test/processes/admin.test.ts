// What kafkajs' admin client asks for that others ask for otherwise: the old AlterConfigs, and DeleteRecords.
import { ConfigResourceTypes } from 'kafkajs'
import { expect, it } from 'vitest'
import { createTopic, startTestCluster, withAdmin } from '../support/cluster.ts'

const TOPIC_CONFIG = 1

it('an admin client replaces configurations, and deletes records', async () => {
  await using test = await startTestCluster({ controllers: 1 })
  await createTopic(test.kafka, 'orders', 1, { 'min.insync.replicas': '2' })
  const producer = test.kafka.producer()
  await producer.connect()
  await producer.send({ topic: 'orders', messages: ['a', 'b', 'c'].map((value) => ({ value })) })
  await producer.disconnect()
  await withAdmin(test.kafka, async (admin) => {
    const configEntries = [{ name: 'retention.ms', value: '7200000' }]
    await admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: 'orders', configEntries }],
    })
    const wanted = { includeSynonyms: false, resources: [{ type: ConfigResourceTypes.TOPIC, name: 'orders' }] }
    const { configEntries: found } = (await admin.describeConfigs(wanted)).resources[0]!
    const own = found.filter(({ configSource }) => (configSource as unknown) === TOPIC_CONFIG)
    expect(own.map(({ configName, configValue }) => [configName, configValue])).toEqual([['retention.ms', '7200000']])

    await admin.deleteTopicRecords({ topic: 'orders', partitions: [{ partition: 0, offset: '2' }] })
    expect(await admin.fetchTopicOffsets('orders')).toEqual([{ partition: 0, offset: '3', high: '3', low: '2' }])
    await expect(admin.deleteTopicRecords({ topic: 'orders', partitions: [{ partition: 0, offset: '4' }] })).rejects.toThrow()
  })
})
