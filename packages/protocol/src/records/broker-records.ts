// Metadata records of brokers: registered, fenced, changed, gone.
import { array, bool, int16, int32, int64, int8, string, uint16, uuid } from '../schema/index.ts'
import { record } from './record.ts'

export const registerBrokerRecord = record(
  0,
  'RegisterBrokerRecord',
  { versions: '0-4', flexible: '0+' },
  {
    brokerId: int32('0+'),
    isMigratingZkBroker: bool('2+'),
    incarnationId: uuid('0+'),
    brokerEpoch: int64('0+'),
    endPoints: array('0+', { name: string('0+'), host: string('0+'), port: uint16('0+'), securityProtocol: int16('0+') }),
    features: array('0+', { name: string('0+'), minSupportedVersion: int16('0+'), maxSupportedVersion: int16('0+') }),
    rack: string('0+', { nullable: '0+' }),
    fenced: bool('0+', { default: true }),
    inControlledShutdown: bool('1+'),
    logDirs: array('3+', uuid, { tag: 0 }),
    cordonedLogDirs: array('4+', uuid, { nullable: '4+', tag: 1, default: null }),
  },
)

export const unregisterBrokerRecord = record(
  1,
  'UnregisterBrokerRecord',
  { versions: '0', flexible: '0+' },
  { brokerId: int32('0+'), brokerEpoch: int64('0+') },
)

export const fenceBrokerRecord = record(
  7,
  'FenceBrokerRecord',
  { versions: '0', flexible: '0+' },
  { id: int32('0+'), epoch: int64('0+') },
)

export const unfenceBrokerRecord = record(
  8,
  'UnfenceBrokerRecord',
  { versions: '0', flexible: '0+' },
  { id: int32('0+'), epoch: int64('0+') },
)

export const brokerRegistrationChangeRecord = record(
  17,
  'BrokerRegistrationChangeRecord',
  { versions: '0-3', flexible: '0+' },
  {
    brokerId: int32('0+'),
    brokerEpoch: int64('0+'),
    fenced: int8('0+', { tag: 0 }),
    inControlledShutdown: int8('1+', { tag: 1 }),
    logDirs: array('2+', uuid, { tag: 2 }),
    cordonedLogDirs: array('3+', uuid, { nullable: '3+', tag: 3, default: null }),
  },
)
