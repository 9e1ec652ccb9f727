// The Kafka client of the command line's own verbs, and its errors as refusals.
import { Refusal } from '@faultline/base'
import { Kafka, KafkaJSError, logLevel } from 'kafkajs'
import { brokersOf, type Target } from '../target.ts'

export async function kafkaOf(target: Target): Promise<Kafka> {
  const brokers = await brokersOf(target)
  return new Kafka({ clientId: 'faultline', brokers, logLevel: logLevel.NOTHING, retry: { retries: 5, initialRetryTime: 100 } })
}

/** Runs `work`; an error that the cluster answered with becomes a refusal that names it. */
export async function answered<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof KafkaJSError)) throw error
    const inner = (error as unknown as { errors?: Error[] }).errors?.[0] ?? error
    const type = (inner as { type?: string }).type
    throw new Refusal(
      'KAFKA_ERROR',
      `${type ? `${type}: ` : ''}${inner.message}`,
      'look at the cluster with: npx faultline status',
    )
  }
}
