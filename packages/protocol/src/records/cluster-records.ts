// Metadata records of the cluster as a whole: configs, features, producer ids, controllers.
import { array, bool, int16, int32, int64, int8, string, uint16, uuid } from '../schema/index.ts'
import { record } from './record.ts'

export const configRecord = record(
  4,
  'ConfigRecord',
  { versions: '0', flexible: '0+' },
  { resourceType: int8('0+'), resourceName: string('0+'), name: string('0+'), value: string('0+', { nullable: '0+' }) },
)

export const featureLevelRecord = record(
  12,
  'FeatureLevelRecord',
  { versions: '0', flexible: '0+' },
  { name: string('0+'), featureLevel: int16('0+') },
)

export const producerIdsRecord = record(
  15,
  'ProducerIdsRecord',
  { versions: '0', flexible: '0+' },
  { brokerId: int32('0+'), brokerEpoch: int64('0+', { default: -1 }), nextProducerId: int64('0+') },
)

export const noOpRecord = record(20, 'NoOpRecord', { versions: '0', flexible: '0+' }, {})

export const registerControllerRecord = record(
  27,
  'RegisterControllerRecord',
  { versions: '0', flexible: '0+' },
  {
    controllerId: int32('0+'),
    incarnationId: uuid('0+'),
    zkMigrationReady: bool('0+'),
    endPoints: array('0+', { name: string('0+'), host: string('0+'), port: uint16('0+'), securityProtocol: int16('0+') }),
    features: array('0+', { name: string('0+'), minSupportedVersion: int16('0+'), maxSupportedVersion: int16('0+') }),
  },
)
