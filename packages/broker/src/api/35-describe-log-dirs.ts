// DescribeLogDirs: what this broker has on its disk, and how far each follower's log is behind.
import { describeLogDirs, Errors } from '@faultline/protocol'
import { handler } from './handler.ts'

export const describeLogDirsHandler = handler(describeLogDirs, (request, { broker }) => {
  const wanted = request.topics && new Map(request.topics.map((t) => [t.topic, new Set(t.partitions)]))
  const topics = new Map<string, { partitionIndex: number; partitionSize: number; offsetLag: number; isFutureKey: boolean }[]>()
  for (const { topic, index, log } of broker.replicas.all()) {
    if (wanted && !wanted.get(topic)?.has(index)) continue
    const entry = topics.get(topic) ?? []
    topics.set(topic, entry)
    const offsetLag = Math.max(log.highWatermark - log.logEndOffset, 0)
    entry.push({ partitionIndex: index, partitionSize: log.sizeBytes, offsetLag, isFutureKey: false })
  }
  return {
    errorCode: Errors.NONE,
    results: [
      {
        errorCode: broker.logs.failure ? Errors.KAFKA_STORAGE_ERROR : Errors.NONE,
        logDir: broker.dataDirectory,
        topics: [...topics].map(([name, partitions]) => ({ name, partitions })),
      },
    ],
  }
})
