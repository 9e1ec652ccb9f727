// Answers that carry an error which nothing has caused: for a whole request, or for parts of one beside the true answer for the rest.
import {
  type Api,
  consumerGroupDescribe,
  deleteGroups,
  describeGroups,
  describeTransactions,
  findCoordinator,
  type Message,
  offsetFetch,
  type TopicParts,
  topicParts,
} from '@faultline/protocol'
import { type Decoded, isTopic, type Part } from './request-subject.ts'

/** APIs that ask for several things at once which are no topics: the request's list and key, the answer's. */
const ITEMS: ReadonlyMap<number, readonly [list: string, key: string, answers: string, answerKey: string]> = new Map([
  [findCoordinator.key, ['coordinatorKeys', '', 'coordinators', 'key']],
  [offsetFetch.key, ['groups', 'groupId', 'groups', 'groupId']],
  [describeGroups.key, ['groups', '', 'groups', 'groupId']],
  [consumerGroupDescribe.key, ['groupIds', '', 'groups', 'groupId']],
  [deleteGroups.key, ['groupsNames', '', 'results', 'groupId']],
  [describeTransactions.key, ['transactionalIds', '', 'transactionStates', 'transactionalId']],
])

/** `errorCode` wherever the answer to `request` has a place for it. */
export function errorAnswer(api: Api, request: Decoded, version: number, errorCode: number, parts: readonly Part[]): Decoded {
  const { fields } = api.response as Message
  const answer: Decoded = {}
  const top = fields['errorCode']?.spec
  if (top && version >= top.versions.min && version <= top.versions.max) answer['errorCode'] = errorCode
  const items = ITEMS.get(api.key)
  if (items) {
    const [list, key, answers, answerKey] = items
    const asked = (request[list] ?? []) as (string | Decoded)[]
    answer[answers] = asked.map((item) => ({
      [answerKey]: typeof item === 'string' ? item : item[key],
      errorCode,
    }))
  }
  return withErrors(api, answer, version, errorCode, parts)
}

/** `answer` with `errorCode` for `parts`, added to it or instead of what it says of them. */
export function withErrors(api: Api, answer: Decoded, version: number, errorCode: number, parts: readonly Part[]): Decoded {
  const changed = { ...answer }
  for (const list of topicParts((api.response as Message).fields)) {
    const { spec } = (api.response as Message).fields[list.list]!
    if (version < spec.versions.min || version > spec.versions.max) continue
    const topics = ((changed[list.list] ?? []) as Decoded[]).map((t) => ({ ...t }))
    for (const part of parts) put(topics, list, part, errorCode)
    changed[list.list] = topics
  }
  return changed
}

function put(topics: Decoded[], list: TopicParts, part: Part, errorCode: number): void {
  let topic = topics.find((t) => isTopic(part, list.name && t[list.name], list.id && t[list.id]))
  if (!topic) {
    topic = {}
    if (list.name) topic[list.name] = part.topic
    if (list.id && part.topicId !== undefined) topic[list.id] = part.topicId
    topics.push(topic)
  }
  if (!list.partitions || part.partition === undefined) {
    topic['errorCode'] = errorCode
    return
  }
  if (!list.error || !list.index) return
  const others = ((topic[list.partitions] ?? []) as Decoded[]).filter((p) => p[list.index!] !== part.partition)
  topic[list.partitions] = [...others, { [list.index]: part.partition, [list.error]: errorCode }]
}
