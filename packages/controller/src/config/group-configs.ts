// The group configurations of Kafka 4.4 (KIP-848, KIP-932, KIP-1071): types, bounds, and the broker configurations that give a group its
// default and say how far it may go from that.
import type { ConfigDefinition, ConfigTypeName } from './config-type.ts'
import { invalidConfigValue } from './config-type.ts'
import { serverNumber, serverText } from './server-config.ts'
import type { StaticConfigs } from './effective-configs.ts'

export interface GroupConfigDefinition extends ConfigDefinition {
  /** The broker configuration whose value is the default for groups; null where there is none. */
  readonly brokerSynonym: string | null
  /** Broker configurations with the least and the greatest value. */
  readonly least?: string
  readonly most?: string
}

type Options = Omit<Partial<GroupConfigDefinition>, 'name' | 'type' | 'default'>

function define(name: string, type: ConfigTypeName, value: string, options: Options = {}): GroupConfigDefinition {
  return { name, type, default: value, brokerSynonym: null, ...options }
}

/** One that has a broker configuration of nearly its name, and bounds beside that. */
function bounded(kind: 'consumer' | 'share' | 'streams', what: string, value: string, min: number): GroupConfigDefinition {
  const [least, most] = [`group.${kind}.min.${what}`, `group.${kind}.max.${what}`]
  return define(`${kind}.${what}`, 'INT', value, { min, brokerSynonym: `group.${kind}.${what}`, least, most })
}

function timings(kind: 'consumer' | 'share' | 'streams'): GroupConfigDefinition[] {
  return [
    bounded(kind, 'session.timeout.ms', '45000', 1),
    bounded(kind, 'heartbeat.interval.ms', '5000', 1),
    bounded(kind, 'assignment.interval.ms', '1000', 0),
  ]
}

const DEFINITIONS: readonly GroupConfigDefinition[] = [
  ...timings('consumer'),
  define('errors.deadletterqueue.copy.record.enable', 'BOOLEAN', 'false'),
  define('errors.deadletterqueue.topic.name', 'STRING', ''),
  ...timings('share'),
  define('share.auto.offset.reset', 'STRING', 'latest'),
  bounded('share', 'delivery.count.limit', '5', 2),
  define('share.isolation.level', 'STRING', 'read_uncommitted', { values: ['read_committed', 'read_uncommitted'] }),
  bounded('share', 'partition.max.record.locks', '2000', 100),
  bounded('share', 'record.lock.duration.ms', '30000', 1000),
  define('share.renew.acknowledge.enable', 'BOOLEAN', 'true'),
  ...timings('streams'),
  define('streams.assignor.name', 'STRING', 'sticky', { brokerSynonym: 'group.streams.assignors' }),
  define('streams.initial.rebalance.delay.ms', 'INT', '3000', {
    min: 0,
    brokerSynonym: 'group.streams.initial.rebalance.delay.ms',
  }),
  define('streams.num.standby.replicas', 'INT', '0', {
    min: 0,
    brokerSynonym: 'group.streams.num.standby.replicas',
    most: 'group.streams.max.standby.replicas',
  }),
  define('streams.rack.aware.assignment.tags', 'LIST', '', { brokerSynonym: 'group.streams.rack.aware.assignment.tags' }),
]

export const GROUP_CONFIGS: ReadonlyMap<string, GroupConfigDefinition> = new Map(DEFINITIONS.map((d) => [d.name, d]))

const OFFSET_RESET = /^(earliest|latest|by_duration:P(?=.)(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?)$/i

/** A sentence that says what is wrong with `value`, or undefined when it is fine. */
export function invalidGroupConfig(definition: GroupConfigDefinition, value: string, statics: StaticConfigs): string | undefined {
  const { name } = definition
  const invalid = invalidConfigValue(definition, value)
  if (invalid) return invalid
  if (definition.most !== undefined) return outOfBounds(definition, Number(value), statics)
  if (name === 'share.auto.offset.reset' && !OFFSET_RESET.test(value)) {
    const why = `Invalid value \`${value}\` for configuration ${name}. The value must be either 'earliest', 'latest' or of the format 'by_duration:<PnDTnHnMn.nS>'.`
    return `Invalid value ${value} for configuration ${name}: ${why}`
  }
  if (name === 'errors.deadletterqueue.topic.name' && value.startsWith('__'))
    return `${name}: DLQ topic name must not start with '__'`
  const assignors = serverText(statics, 'group.streams.assignors')
  if (name === 'streams.assignor.name' && !assignors.split(',').includes(value))
    return `${name} '${value}' is not a registered task assignor. Registered assignors are: [${assignors}].`
  return undefined
}

function outOfBounds({ name, least, most }: GroupConfigDefinition, value: number, statics: StaticConfigs): string | undefined {
  const max = serverNumber(statics, most!)
  if (least === undefined) return value > max ? `${name} must be less than or equal to ${max}` : undefined
  const min = serverNumber(statics, least)
  return value < min || value > max ? `${name} must be in the range ${min} to ${max} inclusive.` : undefined
}

/** A group's value was checked when it was given, but brokers may have been started with other bounds since. */
export function clampGroupConfig(name: string, value: number, statics: StaticConfigs): number {
  const { least, most } = GROUP_CONFIGS.get(name)!
  const min = least === undefined ? value : serverNumber(statics, least)
  return Math.min(Math.max(value, min), most === undefined ? value : serverNumber(statics, most))
}
