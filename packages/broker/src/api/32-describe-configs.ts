// DescribeConfigs for topics, brokers and groups: values with where they come from, and every other place that could have given one (KIP-226).
import {
  BROKER_CONFIGS,
  ConfigSource,
  type ConfigSynonym,
  ConfigType,
  type ConfigTypeName,
  DYNAMIC_BROKER_CONFIGS,
  GROUP_CONFIGS,
  groupConfigSynonyms,
  invalidTopicName,
  ResourceType,
  TOPIC_CONFIGS,
  topicConfigSynonyms,
} from '@faultline/controller'
import { describeConfigs, Errors, type RequestOf, type ResponseInput } from '@faultline/protocol'
import type { Broker } from '../broker.ts'
import { handler } from './handler.ts'

type Resource = RequestOf<typeof describeConfigs>['resources'][number]
type Result = NonNullable<ResponseInput<typeof describeConfigs>['results']>[number]
type Config = NonNullable<Result['configs']>[number] & { readonly name: string }

export const describeConfigsHandler = handler(describeConfigs, (request, { broker }) => ({
  results: request.resources.map((resource): Result => {
    const { resourceType, resourceName, configurationKeys } = resource
    const described = describe(broker, resource)
    if ('error' in described)
      return { resourceType, resourceName, errorCode: described.error, errorMessage: described.message, configs: [] }
    const wanted = described.filter(({ name }) => !configurationKeys || configurationKeys.includes(name))
    const configs = wanted.map((config) => (request.includeSynonyms ? config : { ...config, synonyms: [] }))
    return { resourceType, resourceName, errorCode: Errors.NONE, errorMessage: null, configs }
  }),
}))

function describe(broker: Broker, { resourceType, resourceName }: Resource): Config[] | { error: number; message: string } {
  if (resourceType === ResourceType.TOPIC) {
    const invalid = invalidTopicName(resourceName)
    if (invalid) return { error: Errors.INVALID_TOPIC_EXCEPTION, message: invalid }
    if (!broker.image.topicsByName.has(resourceName)) {
      return { error: Errors.UNKNOWN_TOPIC_OR_PARTITION, message: `Topic ${resourceName} not found.` }
    }
    return [...TOPIC_CONFIGS.values()].map(({ name, type, brokerSynonym }) => {
      const found = topicConfigSynonyms(broker.image, broker.statics, broker.id, resourceName, name)
      return entry(name, type, found, false, brokerSynonym === null || BROKER_CONFIGS.get(brokerSynonym)?.default === null)
    })
  }
  if (resourceType === ResourceType.GROUP) {
    if (resourceName === '') return { error: Errors.INVALID_REQUEST, message: 'Group name must not be empty' }
    return [...GROUP_CONFIGS.values()].map(({ name, type }) =>
      entry(name, type, groupConfigSynonyms(broker.image, broker.statics, broker.id, resourceName, name), false),
    )
  }
  if (resourceType !== ResourceType.BROKER)
    return { error: Errors.INVALID_REQUEST, message: `Unsupported resource type: ${resourceType}` }
  if (resourceName === '') return defaultsOfAllBrokers(broker)
  if (!/^-?\d+$/.test(resourceName)) {
    return { error: Errors.INVALID_REQUEST, message: `Broker id must be an integer, but it is: ${resourceName}` }
  }
  if (Number(resourceName) !== broker.id) {
    return {
      error: Errors.INVALID_REQUEST,
      message: `Unexpected broker id, expected ${broker.id} or empty string, but received ${resourceName}`,
    }
  }
  const shown = [...BROKER_CONFIGS.values()].filter(({ internal }) => !internal)
  return shown.map((definition) => {
    const { name, type } = definition
    return entry(name, type, brokerSynonyms(broker, name), !DYNAMIC_BROKER_CONFIGS.has(name), definition.default === null)
  })
}

/** `ownDefault`: the default is the config's own, or null: no place that could be shown gives it. */
function entry(
  name: string,
  type: ConfigTypeName,
  synonyms: readonly ConfigSynonym[],
  readOnly: boolean,
  ownDefault = false,
): Config {
  const isSensitive = type === 'PASSWORD'
  const shown = synonyms.map((s) => ({ ...s, value: isSensitive ? null : s.value }))
  const holds = shown[0]!
  return {
    name,
    value: holds.value,
    readOnly,
    configSource: holds.source,
    isSensitive,
    synonyms: ownDefault ? shown.filter((s) => s.source !== ConfigSource.DEFAULT) : shown,
    configType: ConfigType[type],
    documentation: null,
  }
}

function brokerSynonyms({ image, statics, id }: Broker, name: string): ConfigSynonym[] {
  const found: ConfigSynonym[] = []
  const add = (value: string | null | undefined, source: number) => {
    if (value !== undefined) found.push({ name, value, source })
  }
  add(image.configsOf(ResourceType.BROKER, String(id))?.get(name), ConfigSource.DYNAMIC_BROKER)
  add(image.configsOf(ResourceType.BROKER, '')?.get(name), ConfigSource.DYNAMIC_DEFAULT_BROKER)
  add(name === 'node.id' ? String(id) : statics.get(name), ConfigSource.STATIC_BROKER)
  add(BROKER_CONFIGS.get(name)!.default, ConfigSource.DEFAULT)
  return found
}

/** Only what was set for all brokers; there is no broker whose defaults could be shown. */
function defaultsOfAllBrokers({ image }: Broker): Config[] {
  return [...(image.configsOf(ResourceType.BROKER, '') ?? [])].map(([name, value]) => {
    const type = BROKER_CONFIGS.get(name)?.type ?? 'STRING'
    return entry(name, type, [{ name, value, source: ConfigSource.DYNAMIC_DEFAULT_BROKER }], false)
  })
}
