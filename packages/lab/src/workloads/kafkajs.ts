// kafkajs as the loads use it: silent, quick to see that a broker is gone, and patient.
import { Kafka, logLevel, Partitioners, type Producer, type RetryOptions } from 'kafkajs'
import { clientIdOf } from './client-ids.ts'
import type { WorkloadContext } from './workload.ts'

/** Goes on for as long as a run may take. */
export const RETRY = { retries: 1000, initialRetryTime: 50, maxRetryTime: 400 }
/** Gives up after some seconds, so that its owner can begin anew. */
export const RETRY_SHORTLY = { ...RETRY, retries: 20 }

export function kafkaOf(name: string, { bootstrap }: Pick<WorkloadContext, 'bootstrap'>, retry: RetryOptions): Kafka {
  return new Kafka({
    clientId: clientIdOf(name),
    brokers: bootstrap.split(','),
    logLevel: logLevel.NOTHING,
    connectionTimeout: 1000,
    requestTimeout: 10_000,
    retry,
  })
}

export function transactionalProducer(kafka: Kafka, transactionalId: string): Producer {
  return kafka.producer({
    transactionalId,
    idempotent: true,
    maxInFlightRequests: 1,
    transactionTimeout: 10_000,
    createPartitioner: Partitioners.DefaultPartitioner,
  })
}

/**
 * As initTransactions of other clients: what an earlier life left open has come to its end. kafkajs asks for that with its first transaction,
 * which is too late for who reads: it has looked by then where its group is, and kafkajs does not wait for positions that are being
 * committed (KIP-447, requireStable).
 */
export async function initTransactions(producer: Producer): Promise<void> {
  await (await producer.transaction()).abort()
}
