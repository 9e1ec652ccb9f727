// Replay of the config family: a null value takes an override away.
import type { MetadataRecordValue } from '@faultline/protocol'
import type { ClusterImage } from './cluster-image.ts'

export function replayConfig(image: ClusterImage, value: MetadataRecordValue<'ConfigRecord'>): void {
  const key = `${value.resourceType}:${value.resourceName}`
  const overrides = new Map(image.configs.get(key))
  if (value.value === null) overrides.delete(value.name)
  else overrides.set(value.name, value.value)
  if (overrides.size > 0) image.configs.set(key, overrides)
  else image.configs.delete(key)
}
