// The value that holds for a topic: its own, else the cluster-wide dynamic one, else this server's, else Kafka's default.
import { assert } from '@faultline/base'
import { type ClusterImage, ResourceType } from '../image/cluster-image.ts'
import { TOPIC_CONFIGS } from './topic-configs.ts'

/** What the server was started with: broker configurations by name, only those that were set. */
export type StaticConfigs = ReadonlyMap<string, string>

/** DescribeConfigs' numbers for where a value comes from (KIP-226). */
export const ConfigSource = {
  TOPIC: 1,
  DYNAMIC_BROKER: 2,
  DYNAMIC_DEFAULT_BROKER: 3,
  STATIC_BROKER: 4,
  DEFAULT: 5,
  GROUP: 8,
} as const

export interface ConfigSynonym {
  readonly name: string
  readonly value: string | null
  readonly source: number
}

/** Every place that gives `config` a value for `topic`, strongest first; the first one holds. `broker` < 0 leaves its own overrides out. */
export function topicConfigSynonyms(
  image: ClusterImage,
  statics: StaticConfigs,
  broker: number,
  topic: string,
  config: string,
): ConfigSynonym[] {
  const definition = TOPIC_CONFIGS.get(config)
  assert(definition, `no topic config ${config}`)
  const found: ConfigSynonym[] = []
  const add = (name: string, value: string | undefined, source: number) => {
    if (value !== undefined) found.push({ name, value, source })
  }
  add(config, image.configsOf(ResourceType.TOPIC, topic)?.get(config), ConfigSource.TOPIC)
  const synonym = definition.brokerSynonym
  if (synonym !== null) {
    if (broker >= 0) add(synonym, image.configsOf(ResourceType.BROKER, String(broker))?.get(synonym), ConfigSource.DYNAMIC_BROKER)
    add(synonym, image.configsOf(ResourceType.BROKER, '')?.get(synonym), ConfigSource.DYNAMIC_DEFAULT_BROKER)
    add(synonym, statics.get(synonym), ConfigSource.STATIC_BROKER)
  }
  found.push({ name: synonym ?? config, value: definition.default, source: ConfigSource.DEFAULT })
  return found
}

export function topicConfig(image: ClusterImage, statics: StaticConfigs, topic: string, config: string): string {
  return topicConfigSynonyms(image, statics, -1, topic, config)[0]!.value ?? ''
}

/** min.insync.replicas as it acts: never more than there are replicas. */
export function effectiveMinIsr(image: ClusterImage, statics: StaticConfigs, topic: string, replicas: number): number {
  return Math.min(Number(topicConfig(image, statics, topic, 'min.insync.replicas')), replicas)
}

export function uncleanElectionEnabled(image: ClusterImage, statics: StaticConfigs, topic: string): boolean {
  return topicConfig(image, statics, topic, 'unclean.leader.election.enable').toLowerCase() === 'true'
}
