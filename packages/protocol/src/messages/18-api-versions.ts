// ApiVersions: what a server speaks. The response header is version 0 in every version, for a client that guessed wrong
// (KIP-511).
import { api, array, bool, int16, int32, int64, string } from '../schema/index.ts'

export const apiVersions = api(
  18,
  'ApiVersions',
  { versions: '0-5', flexible: '3+' },
  {
    request: {
      clientSoftwareName: string('3+', { ignorable: true }),
      clientSoftwareVersion: string('3+', { ignorable: true }),
      clusterId: string('5+', { nullable: '5+', default: null, ignorable: true }),
      nodeId: int32('5+', { default: -1, ignorable: true }),
    },
    response: {
      errorCode: int16('0+'),
      apiKeys: array('0+', { apiKey: int16('0+'), minVersion: int16('0+'), maxVersion: int16('0+') }),
      throttleTimeMs: int32('1+', { ignorable: true }),
      supportedFeatures: array(
        '3+',
        { name: string('3+'), minVersion: int16('3+'), maxVersion: int16('3+') },
        { tag: 0, ignorable: true },
      ),
      finalizedFeaturesEpoch: int64('3+', { tag: 1, default: -1, ignorable: true }),
      finalizedFeatures: array(
        '3+',
        { name: string('3+'), maxVersionLevel: int16('3+'), minVersionLevel: int16('3+') },
        { tag: 2, ignorable: true },
      ),
      zkMigrationReady: bool('3+', { tag: 3, ignorable: true }),
    },
  },
)
