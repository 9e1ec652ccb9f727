// faultline topics.
import { Refusal } from '@faultline/base'
import { type Admin, ConfigResourceTypes } from 'kafkajs'
import { print, printJson, table } from '../output.ts'
import type { Target } from '../target.ts'
import { answered, kafkaOf } from './kafka.ts'

export interface TopicsOptions extends Target {
  readonly output: 'text' | 'json'
  readonly partitions: number
  readonly rf: number
  readonly config: Readonly<Record<string, string>>
}

export async function topics(action: string | undefined, name: string | undefined, options: TopicsOptions): Promise<void> {
  const run = ACTIONS[action ?? 'list']
  if (!run)
    throw new Refusal(
      'BAD_ARGUMENT',
      `topics ${action} is not known`,
      'use topics, topics create NAME, topics delete NAME or topics describe NAME',
    )
  if (action && !name)
    throw new Refusal('BAD_ARGUMENT', `topics ${action} needs a name`, `use: npx faultline topics ${action} NAME`)
  const admin = (await kafkaOf(options)).admin()
  await answered(async () => {
    await admin.connect()
    try {
      await run(admin, name ?? '', options)
    } finally {
      await admin.disconnect()
    }
  })
}

const ACTIONS: Readonly<Record<string, (admin: Admin, name: string, options: TopicsOptions) => Promise<void>>> = {
  list: async (admin, _name, { output }) => {
    const { topics: found } = await admin.fetchTopicMetadata()
    const rows = found.map((t) => ({
      name: t.name,
      partitions: t.partitions.length,
      replicationFactor: t.partitions[0]?.replicas.length ?? 0,
    }))
    if (output === 'json') printJson(rows)
    else
      print(
        table(
          ['TOPIC', 'PARTITIONS', 'RF'],
          rows.map((r) => [r.name, r.partitions, r.replicationFactor]),
        ),
      )
  },
  create: async (admin, topic, { output, partitions, rf, config }) => {
    const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }))
    const created = await admin.createTopics({
      topics: [{ topic, numPartitions: partitions, replicationFactor: rf, configEntries }],
    })
    if (!created)
      throw new Refusal(
        'KAFKA_ERROR',
        `TOPIC_ALREADY_EXISTS: there is a topic ${topic}`,
        `look at it with: npx faultline topics describe ${topic}`,
      )
    if (output === 'json') printJson({ created: topic })
    else print(`created ${topic}\nnext: npx faultline topics describe ${topic}`)
  },
  delete: async (admin, topic, { output }) => {
    await admin.deleteTopics({ topics: [topic] })
    if (output === 'json') printJson({ deleted: topic })
    else print(`deleted ${topic}`)
  },
  describe: async (admin, topic, { output }) => {
    const { topics: found } = await admin.fetchTopicMetadata({ topics: [topic] })
    const partitions = found[0]!.partitions.sort((a, b) => a.partitionId - b.partitionId)
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: topic }],
    })
    const own = resources[0]!.configEntries.filter((c) => Number((c as { configSource?: number }).configSource) === 1)
    if (output === 'json')
      return printJson({ name: topic, partitions, configs: Object.fromEntries(own.map((c) => [c.configName, c.configValue])) })
    print(`${topic}${own.map((c) => `  ${c.configName}=${c.configValue}`).join('')}`)
    print(
      table(
        ['PARTITION', 'LEADER', 'REPLICAS', 'ISR'],
        partitions.map((p) => [p.partitionId, p.leader, p.replicas.join(','), p.isr.join(',')]),
      ),
    )
  },
}
