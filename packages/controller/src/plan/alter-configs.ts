// IncrementalAlterConfigs for topics, brokers and groups: set, delete, append to and subtract from lists (KIP-339). A resource changes whole or not at all.
import {
  Errors,
  type incrementalAlterConfigs,
  type MetadataRecord,
  type RequestOf,
  type ResponseInput,
} from '@faultline/protocol'
import { BROKER_CONFIGS, DYNAMIC_BROKER_CONFIGS } from '../config/broker-configs.ts'
import { type ConfigDefinition, invalidConfigValue, listItems } from '../config/config-type.ts'
import { topicConfig } from '../config/effective-configs.ts'
import { GROUP_CONFIGS, invalidGroupConfig } from '../config/group-configs.ts'
import { TOPIC_CONFIGS } from '../config/topic-configs.ts'
import { ResourceType } from '../image/cluster-image.ts'
import { EVERY_TOPIC } from '../image/replay-topics.ts'
import { type ApiError, type Plan, type PlanContext, refuse } from './plan.ts'

type Request = RequestOf<typeof incrementalAlterConfigs>
type Response = ResponseInput<typeof incrementalAlterConfigs>
type Resource = Request['resources'][number]
type Operation = Resource['configs'][number]

export const SET = 0
export const DELETE = 1
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
    if (!request.validateOnly) records.push(...changes, ...clearedElrs(context, resource, changes))
    return { resourceType, resourceName, errorCode: Errors.NONE, errorMessage: null }
  })
  return { records, response: { throttleTimeMs: 0, responses } }
}

/** Under another minimum the high watermark may move on without those that were eligible before: they are no longer (KIP-966). */
function clearedElrs({ image }: PlanContext, resource: Resource, changes: readonly MetadataRecord[]): MetadataRecord[] {
  if (!changes.some((c) => c.type === 'ConfigRecord' && c.value.name === 'min.insync.replicas')) return []
  const { resourceType, resourceName } = resource
  const all = [...image.topicsById.values()]
  const topics = resourceType === ResourceType.TOPIC ? all.filter((t) => t.name === resourceName) : all
  const someAreEligible = topics.some((t) => t.partitions.some((p) => p.elr.length + p.lastKnownElr.length > 0))
  const topicName = resourceType === ResourceType.TOPIC ? resourceName : EVERY_TOPIC
  return someAreEligible ? [{ type: 'ClearElrRecord', value: { topicName } }] : []
}

function resourceRefusal(context: PlanContext, resource: Resource): ApiError | undefined {
  const { resourceType: type, resourceName: name } = resource
  if (type === ResourceType.TOPIC) {
    if (name === '') return refuse(Errors.INVALID_REQUEST, 'Default topic resources are not allowed.')
    if (!context.image.topicsByName.has(name))
      return refuse(Errors.UNKNOWN_TOPIC_OR_PARTITION, `The topic '${name}' does not exist.`)
    return undefined
  }
  if (type === ResourceType.BROKER) {
    if (name === '' || (/^\d+$/.test(name) && context.image.brokers.has(Number(name)))) return undefined
    return refuse(Errors.INVALID_REQUEST, `No broker with id ${name} is registered.`)
  }
  // A group need not be there yet.
  if (type === ResourceType.GROUP)
    return name === '' ? refuse(Errors.INVALID_REQUEST, 'Default group resources are not allowed.') : undefined
  return refuse(Errors.INVALID_REQUEST, `Unknown resource type ${type}`)
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
    if (value === (overrideOf(context, resource, operation.name) ?? null)) continue
    records.push({ type: 'ConfigRecord', value: { resourceType, resourceName, name: operation.name, value } })
  }
  return records
}

function overrideOf({ image }: PlanContext, { resourceType, resourceName }: Resource, name: string): string | undefined {
  return image.configsOf(resourceType, resourceName)?.get(name)
}

/** The value to store, null to take the override away, or what is wrong. */
function newValue(context: PlanContext, resource: Resource, operation: Operation): string | null | ApiError {
  const { name, configOperation, value } = operation
  const { resourceType } = resource
  const definition = definitionOf(resourceType, name)
  if (configOperation < SET || configOperation > SUBTRACT) {
    return refuse(Errors.INVALID_REQUEST, `Unknown operation type ${configOperation}.`)
  }
  const held = heldByElr(context, resource, operation)
  if (held) return held
  if (configOperation === DELETE) return null
  if (!definition && resourceType !== ResourceType.BROKER) {
    const kind = resourceType === ResourceType.TOPIC ? 'topic' : 'group'
    return refuse(Errors.INVALID_CONFIG, `Unknown ${kind} config name: ${name}`)
  }
  if (value === null) return refuse(Errors.INVALID_REQUEST, `Null value not supported for : ${name}`)
  if (value.length > MAX_VALUE_LENGTH)
    return refuse(
      Errors.INVALID_CONFIG,
      `The configuration value cannot be added because it exceeds the maximum value size of ${MAX_VALUE_LENGTH} bytes.`,
    )
  // Plugins have configurations that only they know.
  if (!definition) return value
  const next = configOperation === SET ? value : changedList(context, resource, operation, definition, value)
  return typeof next === 'string' ? checked(context, resourceType, definition, next) : next
}

function definitionOf(resourceType: number, name: string): ConfigDefinition | undefined {
  if (resourceType === ResourceType.BROKER) return BROKER_CONFIGS.get(name)
  return resourceType === ResourceType.TOPIC ? TOPIC_CONFIGS.get(name) : GROUP_CONFIGS.get(name)
}

/** Eligible replicas need one minimum for the whole cluster, and need it to be there (KIP-966). */
function heldByElr({ image }: PlanContext, resource: Resource, { name, configOperation }: Operation): ApiError | undefined {
  if (!image.elrEnabled || resource.resourceType !== ResourceType.BROKER || name !== 'min.insync.replicas') return undefined
  if (resource.resourceName !== '')
    return refuse(Errors.INVALID_CONFIG, 'Broker-level min.insync.replicas cannot be altered while ELR is enabled.')
  if (configOperation === DELETE)
    return refuse(Errors.INVALID_CONFIG, 'Cluster-level min.insync.replicas cannot be removed while ELR is enabled.')
  return undefined
}

function changedList(
  context: PlanContext,
  resource: Resource,
  { name, configOperation }: Operation,
  definition: ConfigDefinition,
  value: string,
): string | ApiError {
  if (definition.type !== 'LIST') {
    const operation = configOperation === APPEND ? 'APPEND' : 'SUBTRACT'
    return refuse(Errors.INVALID_CONFIG, `Can't ${operation} to key ${name} because its type is not LIST.`)
  }
  const inherited =
    resource.resourceType === ResourceType.TOPIC
      ? topicConfig(context.image, context.statics, resource.resourceName, name)
      : definition.default
  const items = listItems(overrideOf(context, resource, name) ?? inherited ?? '')
  const given = listItems(value)
  const next =
    configOperation === APPEND
      ? [...items, ...given.filter((item) => !items.includes(item))]
      : items.filter((item) => !given.includes(item))
  return next.join(',')
}

/** What is wrong with a broker's value is INVALID_REQUEST in Kafka, for compatibility (KAFKA-13609). */
function checked({ statics }: PlanContext, type: number, definition: ConfigDefinition, value: string): string | ApiError {
  const { name } = definition
  if (type === ResourceType.BROKER && !DYNAMIC_BROKER_CONFIGS.has(name))
    return refuse(Errors.INVALID_REQUEST, `Cannot update these configs dynamically: ${name}`)
  const invalid =
    type === ResourceType.GROUP
      ? invalidGroupConfig(GROUP_CONFIGS.get(name)!, value, statics)
      : invalidConfigValue(definition, value)
  return invalid ? refuse(type === ResourceType.BROKER ? Errors.INVALID_REQUEST : Errors.INVALID_CONFIG, invalid) : value
}
