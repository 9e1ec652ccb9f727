// ListTransactions: the transactions that one broker coordinates (KIP-664); by duration since 1 (KIP-994), by pattern since 2 (KIP-1152).
import { api, array, int16, int32, int64, string } from '../schema/index.ts'

export const listTransactions = api(
  66,
  'ListTransactions',
  { versions: '0-2', flexible: '0+' },
  {
    request: {
      stateFilters: array('0+', string),
      producerIdFilters: array('0+', int64),
      durationFilter: int64('1+', { default: -1 }),
      transactionalIdPattern: string('2+', { nullable: '2+', default: null }),
    },
    response: {
      throttleTimeMs: int32('0+'),
      errorCode: int16('0+'),
      unknownStateFilters: array('0+', string),
      transactionStates: array('0+', {
        transactionalId: string('0+'),
        producerId: int64('0+'),
        transactionState: string('0+'),
      }),
    },
  },
)
