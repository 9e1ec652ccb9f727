// ApiVersions: what is served, and at which versions (KIP-511, KIP-584, KIP-1242).
import { apiVersions, Errors, produce } from '@faultline/protocol'
import { handler } from './handler.ts'

/** What a client may call itself (KIP-511). */
const SOFTWARE_NAME = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/

/** The one feature that cannot be off. */
const METADATA_VERSION = 'metadata.version'
/** Older clients cannot read a feature that may be at level 0 (KAFKA-17011). */
const FEATURE_ZERO_SINCE = 4

export const apiVersionsHandler = handler(apiVersions, (request, { broker, version }) => {
  if (version >= 3 && !(SOFTWARE_NAME.test(request.clientSoftwareName) && SOFTWARE_NAME.test(request.clientSoftwareVersion))) {
    return { errorCode: Errors.INVALID_REQUEST, apiKeys: [] }
  }
  const image = broker.image
  const features = [...image.features].map(([name, level]) => ({ name, level }))
  return {
    errorCode: version >= 5 ? clusterCheck(request, broker) : Errors.NONE,
    apiKeys: [...broker.handlers.values()]
      .map(({ api }) => ({
        apiKey: api.key,
        // A librdkafka bug takes a missing old Produce for a missing one altogether (KAFKA-18659).
        minVersion: api.key === produce.key ? 0 : api.minVersion,
        maxVersion: api.maxVersion,
      }))
      .sort((a, b) => a.apiKey - b.apiKey),
    supportedFeatures: features
      .map(({ name, level }) => ({ name, minVersion: name === METADATA_VERSION ? 1 : 0, maxVersion: level }))
      .filter(({ minVersion }) => minVersion > 0 || version >= FEATURE_ZERO_SINCE),
    finalizedFeaturesEpoch: image.offset,
    finalizedFeatures: features.map(({ name, level }) => ({ name, maxVersionLevel: level, minVersionLevel: level })),
  }
})

/** A client that remembers another cluster or node at this address must start over. */
function clusterCheck(request: { clusterId: string | null; nodeId: number }, broker: { clusterId: string; id: number }): number {
  const both = request.clusterId !== null && request.nodeId >= 0
  const neither = request.clusterId === null && request.nodeId < 0
  if (!both && !neither) return Errors.INVALID_REQUEST
  const matches = neither || (request.clusterId === broker.clusterId && request.nodeId === broker.id)
  return matches ? Errors.NONE : Errors.REBOOTSTRAP_REQUIRED
}
