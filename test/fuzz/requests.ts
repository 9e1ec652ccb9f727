// Requests of the right shape with values that are sensible, odd or absurd, for any declared API at any version.
import { type Api, type Field, type Fields, INT64_MAX } from '@faultline/protocol'
import { randomRecords } from './batches.ts'
import { ODD_INT32, ODD_INT64, ODD_STRINGS, type Vocabulary } from './vocabulary.ts'

type Spec = Field['spec']
type Range = Spec['versions']

const OFTEN_ABSENT = new Set(['transactionalId', 'groupInstanceId', 'assignments'])

/** How likely a value is not what a client would send. A third of all requests has none of that. */
const ODDNESS = [0, 0.05, 0.4]

export function randomRequest(words: Vocabulary, api: Api, version: number): Record<string, unknown> {
  const request = new RequestMaker(words, version, words.pick(ODDNESS)).fields(api.request.fields, '')
  // A cluster without topics would have little to say.
  if (api.name === 'DeleteTopics' && words.chance(0.8)) Object.assign(request, { topics: [], topicNames: [] })
  if (api.name === 'Fetch') continueSession(words, request)
  if ('memberId' in request) speakAsMember(words, request)
  return request
}

/** Most requests of members come from members that an answer has made. */
function speakAsMember(words: Vocabulary, request: Record<string, unknown>): void {
  if (words.memberships.length === 0 || words.chance(0.3)) return
  const { groupId, memberId, generationId } = words.pick(words.memberships)
  request.groupId = groupId
  request.memberId = memberId
  if ('generationId' in request) request.generationId = generationId
  if ('generationIdOrMemberEpoch' in request) request.generationIdOrMemberEpoch = generationId
}

/** Half of all fetches go on with a session that an answer has opened. */
function continueSession(words: Vocabulary, request: Record<string, unknown>): void {
  if (request.sessionId === undefined || words.sessions.length === 0 || words.chance(0.5)) return
  const session = words.pick(words.sessions)
  request.sessionId = session.id
  request.sessionEpoch = words.chance(0.9) ? session.epoch++ : words.pick(ODD_INT32)
}

function within(range: Range, version: number): boolean {
  return version >= range.min && version <= range.max
}

class RequestMaker {
  readonly #words: Vocabulary
  readonly #version: number
  readonly #oddness: number

  constructor(words: Vocabulary, version: number, oddness: number) {
    this.#words = words
    this.#version = version
    this.#oddness = oddness
  }

  fields(fields: Fields, path: string): Record<string, unknown> {
    const value: Record<string, unknown> = {}
    for (const [name, { spec }] of Object.entries(fields)) {
      if (within(spec.versions, this.#version)) value[name] = this.#value(spec, name, path)
    }
    return value
  }

  #value(spec: Spec, name: string, path: string): unknown {
    const words = this.#words
    if (within(spec.nullable, this.#version) && words.chance(OFTEN_ABSENT.has(name) ? 0.7 : 0.1 + this.#oddness / 2)) return null
    if (spec.type === 'struct') return this.fields(spec.fields, `${path}${name}.`)
    if (spec.type !== 'array') return this.#primitive(spec.type, name, path, spec.default)
    const length = OFTEN_ABSENT.has(name) && words.chance(0.8) ? 0 : words.pick([0, 1, 1, 1, 2, 3])
    const { element } = spec
    return Array.from({ length }, () =>
      typeof element === 'string' ? this.#primitive(element, name, path, undefined) : this.fields(element, `${path}${name}.`),
    )
  }

  #primitive(type: string, name: string, path: string, usual: unknown): unknown {
    const words = this.#words
    const odd = words.chance(this.#oddness)
    switch (type) {
      case 'bool':
        return words.chance(0.5)
      case 'string':
        return odd ? words.pick(ODD_STRINGS) : this.#string(name, path)
      case 'uuid':
        return odd ? words.uuid() : words.topicId()
      case 'bytes':
        return words.random.bytes(words.random.below(words.chance(0.05) ? 5000 : 30))
      case 'records':
        return randomRecords(words, this.#oddness)
      case 'float64':
        return words.pick([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])
      default:
        return odd ? oddNumber(words, type) : this.#number(name, usual)
    }
  }

  #string(name: string, path: string): string {
    const words = this.#words
    if (name === 'name' && path.endsWith('configs.')) return words.configName()
    if (name === 'name' && path.endsWith('protocols.')) return words.pick(['range', 'roundrobin'])
    switch (name) {
      case 'value':
        return words.configValue()
      case 'configurationKeys':
        return words.configName()
      case 'groupId':
      case 'groups':
      case 'groupsNames':
      case 'key':
      case 'coordinatorKeys':
        return words.pick(['g1', 'g1', 'g2', 'g3'])
      case 'memberId':
        return words.pick(words.memberIds)
      case 'groupInstanceId':
        return words.pick(['i1', 'i2'])
      case 'protocolType':
        return words.pick(['consumer', 'consumer', 'connect'])
      case 'resourceName':
        return words.pick([words.topic(), words.topic(), '1', '2', ''])
      default:
        return words.topic()
    }
  }

  #number(name: string, usual: unknown): number {
    const words = this.#words
    switch (name) {
      case 'partition':
      case 'partitionIndex':
      case 'index':
      case 'partitions':
      case 'partitionIndexes':
        return words.pick([0, 0, 0, 1, 1, 2, 7])
      case 'brokerIds':
        return words.pick([1, 2, 3, 9])
      case 'numPartitions':
      case 'count':
        return words.pick([-1, 1, 2, 3, 4])
      case 'replicationFactor':
        return words.pick([-1, 1, 2, 3])
      case 'acks':
        return words.pick([-1, -1, 0, 1])
      case 'resourceType':
        return words.pick([2, 2, 4, 4, 8, 16, 32])
      case 'configOperation':
        return words.random.below(4)
      case 'isolationLevel':
      case 'keyType':
        return words.random.below(2)
      case 'maxWaitMs':
      case 'timeoutMs':
        return words.pick([0, 5, 50, 300])
      case 'sessionTimeoutMs':
        return words.pick([6000, 10_000])
      case 'rebalanceTimeoutMs':
        return words.pick([100, 500])
      case 'minBytes':
        return words.pick([0, 1, 1, 100])
      case 'maxBytes':
      case 'partitionMaxBytes':
        return words.pick([0, 1, 1000, 1_000_000, 0x7fff_ffff])
      case 'fetchOffset':
      case 'committedOffset':
        return words.pick([0, 0, 1, 2, 5, 100])
      case 'timestamp':
        return words.pick([-1, -2, -3, -4, -5, -6, 0, 1_700_000_000_000])
      case 'sessionId':
        return 0
      case 'sessionEpoch':
        return words.pick([0, 0, -1])
      case 'responsePartitionLimit':
        return words.pick([1, 2, 2000])
      case 'producerId':
        return words.pick(words.producerIds)
      default:
        return typeof usual === 'number' && usual !== INT64_MAX && words.chance(0.6) ? usual : words.pick([0, 1, 2])
    }
  }
}

const BOUNDS: Readonly<Record<string, readonly [number, number]>> = {
  int8: [-0x80, 0x7f],
  int16: [-0x8000, 0x7fff],
  uint16: [0, 0xffff],
  uint32: [0, 0xffff_ffff],
}

function oddNumber(words: Vocabulary, type: string): number {
  if (type === 'int64') return words.pick(ODD_INT64)
  const bounds = BOUNDS[type]
  return bounds ? words.pick([bounds[0], bounds[1], Math.max(bounds[0], -1), 0, 5]) : words.pick(ODD_INT32)
}
