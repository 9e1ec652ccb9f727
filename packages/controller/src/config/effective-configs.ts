// The value that holds for a topic or a group: its own, else the cluster-wide dynamic one, else this server's, else Kafka's default.
import { assert } from '@faultline/base'
import { type ClusterImage, ResourceType } from '../image/cluster-image.ts'
import type { ConfigDefinition } from './config-type.ts'
import { GROUP_CONFIGS } from './group-configs.ts'
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
  const own = { value: image.configsOf(ResourceType.TOPIC, topic)?.get(config), source: ConfigSource.TOPIC }
  return synonymsOf(image, statics, broker, definition, own)
}

/** Every place that gives `config` a value for `group`. */
export function groupConfigSynonyms(
  image: ClusterImage,
  statics: StaticConfigs,
  broker: number,
  group: string,
  config: string,
): ConfigSynonym[] {
  const definition = GROUP_CONFIGS.get(config)
  assert(definition, `no group config ${config}`)
  const own = { value: image.configsOf(ResourceType.GROUP, group)?.get(config), source: ConfigSource.GROUP }
  return synonymsOf(image, statics, broker, definition, own)
}

interface Inherited extends ConfigDefinition {
  readonly brokerSynonym: string | null
}

function synonymsOf(
  image: ClusterImage,
  statics: StaticConfigs,
  broker: number,
  { name: config, brokerSynonym: synonym, default: value }: Inherited,
  own: { readonly value: string | undefined; readonly source: number },
): ConfigSynonym[] {
  const found: ConfigSynonym[] = []
  const add = (name: string, given: string | undefined, source: number) => {
    if (given !== undefined) found.push({ name, value: given, source })
  }
  add(config, own.value, own.source)
  if (synonym !== null) {
    if (broker >= 0) add(synonym, image.configsOf(ResourceType.BROKER, String(broker))?.get(synonym), ConfigSource.DYNAMIC_BROKER)
    add(synonym, image.configsOf(ResourceType.BROKER, '')?.get(synonym), ConfigSource.DYNAMIC_DEFAULT_BROKER)
    add(synonym, statics.get(synonym), ConfigSource.STATIC_BROKER)
  }
  found.push({ name: synonym ?? config, value, source: ConfigSource.DEFAULT })
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
