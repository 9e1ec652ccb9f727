// IncrementalAlterConfigs for topics and brokers: set, delete, append to and subtract from lists (KIP-339). A resource changes whole or not at all.
import {
  Errors,
  type incrementalAlterConfigs,
  type MetadataRecord,
  type RequestOf,
  type ResponseInput,
} from '@faultline/protocol'
import { BROKER_CONFIGS } from '../config/broker-configs.ts'
import { type ConfigDefinition, invalidConfigValue, listItems } from '../config/config-type.ts'
import { topicConfig } from '../config/effective-configs.ts'
import { TOPIC_CONFIGS } from '../config/topic-configs.ts'
import { ResourceType } from '../image/cluster-image.ts'
import { type ApiError, type Plan, type PlanContext, refuse } from './plan.ts'

type Request = RequestOf<typeof incrementalAlterConfigs>
type Response = ResponseInput<typeof incrementalAlterConfigs>
type Resource = Request['resources'][number]
type Operation = Resource['configs'][number]

const SET = 0
const DELETE = 1
const APPEND = 2
const SUBTRACT = 3

/** Kafka's limit on a value. */
const MAX_VALUE_LENGTH = 32767

export function planAlterConfigs(context: PlanContext, request: Request): Plan<Response> {
  const records: MetadataRecord[] = []
  const responses = request.resources.map((resource) => {
    const { resourceType, resourceName } = resource
    const changes = resourceRefusal(context, resource) ?? changesOf(context, resource)
    if ('error' in changes) return { resourceType, resourceName, errorCode: changes.error, errorMessage: changes.message }
    if (!request.validateOnly) records.push(...changes)
    return { resourceType, resourceName, errorCode: Errors.NONE, errorMessage: null }
  })
  return { records, response: { throttleTimeMs: 0, responses } }
}

function resourceRefusal(context: PlanContext, resource: Resource): ApiError | undefined {
  const { resourceType: type, resourceName: name } = resource
  if (type === ResourceType.TOPIC) {
    if (!context.image.topicsByName.has(name))
      return refuse(Errors.UNKNOWN_TOPIC_OR_PARTITION, `The topic '${name}' does not exist.`)
    return undefined
  }
  if (type === ResourceType.BROKER) {
    if (name === '' || context.image.brokers.has(Number(name))) return undefined
    return refuse(Errors.INVALID_REQUEST, `No broker with id ${name} is registered.`)
  }
  return refuse(Errors.INVALID_REQUEST, `Resource type ${type} cannot be altered here.`)
}

function changesOf(context: PlanContext, resource: Resource): MetadataRecord[] | ApiError {
  const { resourceType, resourceName } = resource
  const records: MetadataRecord[] = []
  const seen = new Set<string>()
  for (const operation of resource.configs) {
    if (seen.has(operation.name)) return refuse(Errors.INVALID_REQUEST, 'Error due to duplicate config keys')
    seen.add(operation.name)
    const value = newValue(context, resource, operation)
    if (typeof value === 'object' && value !== null) return value
    records.push({ type: 'ConfigRecord', value: { resourceType, resourceName, name: operation.name, value } })
  }
  return records
}

/** The value to store, null to take the override away, or what is wrong. */
function newValue(context: PlanContext, resource: Resource, operation: Operation): string | null | ApiError {
  const { name, configOperation, value } = operation
  const isTopic = resource.resourceType === ResourceType.TOPIC
  const definition: ConfigDefinition | undefined = isTopic ? TOPIC_CONFIGS.get(name) : BROKER_CONFIGS.get(name)
  if (configOperation < SET || configOperation > SUBTRACT) {
    return refuse(Errors.INVALID_REQUEST, `Unknown operation type ${configOperation}.`)
  }
  if (!definition && isTopic) return refuse(Errors.INVALID_CONFIG, `Unknown topic config name: ${name}`)
  if (configOperation === DELETE) return null
  if (value === null) return refuse(Errors.INVALID_REQUEST, `Null value not supported for : ${name}`)
  if (value.length > MAX_VALUE_LENGTH)
    return refuse(
      Errors.INVALID_CONFIG,
      `The configuration value cannot be added because it exceeds the maximum value size of ${MAX_VALUE_LENGTH} bytes.`,
    )
  if (configOperation === SET || !definition) return checked(definition, value)
  if (definition.type !== 'LIST')
    return refuse(
      Errors.INVALID_CONFIG,
      `Can't ${configOperation === APPEND ? 'APPEND' : 'SUBTRACT'} to key ${name} because its type is not LIST.`,
    )
  const override = context.image.configsOf(resource.resourceType, resource.resourceName)?.get(name)
  const current =
    override ?? (isTopic ? topicConfig(context.image, context.statics, resource.resourceName, name) : definition.default) ?? ''
  const items = listItems(current)
  const given = listItems(value)
  const next =
    configOperation === APPEND
      ? [...items, ...given.filter((item) => !items.includes(item))]
      : items.filter((item) => !given.includes(item))
  return checked(definition, next.join(','))
}

function checked(definition: ConfigDefinition | undefined, value: string): string | ApiError {
  const invalid = definition && invalidConfigValue(definition, value)
  return invalid ? refuse(Errors.INVALID_CONFIG, invalid) : value
}
