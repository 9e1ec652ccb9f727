// DeleteTopics, by name or by id.
import {
  type deleteTopics,
  Errors,
  type MetadataRecord,
  type RequestOf,
  type ResponseInput,
  ZERO_UUID,
} from '@faultline/protocol'
import { serverFlag } from '../config/server-config.ts'
import type { TopicState } from '../image/partition-state.ts'
import type { Plan, PlanContext } from './plan.ts'

type Request = RequestOf<typeof deleteTopics>
type Response = ResponseInput<typeof deleteTopics>

/** Before this version there is no error for it. */
const DELETION_DISABLED_SINCE = 3

export function planDeleteTopics(context: PlanContext, request: Request, version: number): Plan<Response> {
  const { image } = context
  const wanted = [...request.topics, ...request.topicNames.map((name) => ({ name, topicId: ZERO_UUID }))]
  const records: MetadataRecord[] = []
  const seen = new Set<string>()
  const responses = wanted.map(({ name, topicId }) => {
    const fail = (errorCode: number, errorMessage: string) => ({ name, topicId, errorCode, errorMessage })
    if ((name === null) === (topicId === ZERO_UUID)) {
      return fail(Errors.INVALID_REQUEST, 'Neither topic name nor id were specified, or both were.')
    }
    const topic: TopicState | undefined = name === null ? image.topicsById.get(topicId) : image.topicsByName.get(name)
    if (!serverFlag(context.statics, 'delete.topic.enable')) {
      return version < DELETION_DISABLED_SINCE
        ? fail(Errors.INVALID_REQUEST, 'This version does not support topic deletion.')
        : fail(Errors.TOPIC_DELETION_DISABLED, 'Topic deletion is disabled.')
    }
    if (!topic) {
      return name === null
        ? fail(Errors.UNKNOWN_TOPIC_ID, 'This server does not host this topic ID.')
        : fail(Errors.UNKNOWN_TOPIC_OR_PARTITION, 'This server does not host this topic-partition.')
    }
    if (seen.has(topic.id)) return fail(Errors.INVALID_REQUEST, 'Duplicate topic.')
    seen.add(topic.id)
    records.push({ type: 'RemoveTopicRecord', value: { topicId: topic.id } })
    return { name: topic.name, topicId: topic.id, errorCode: Errors.NONE, errorMessage: null }
  })
  return { records, response: { throttleTimeMs: 0, responses } }
}
