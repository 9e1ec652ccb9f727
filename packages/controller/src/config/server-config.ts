// Numbers and switches that a server reads from its own configuration, with Kafka's defaults.
import { assert } from '@faultline/base'
import { BROKER_CONFIGS } from './broker-configs.ts'
import type { StaticConfigs } from './effective-configs.ts'

export function serverNumber(statics: StaticConfigs, name: string): number {
  return Number(serverText(statics, name))
}

export function serverFlag(statics: StaticConfigs, name: string): boolean {
  return serverText(statics, name).toLowerCase() === 'true'
}

export function serverText(statics: StaticConfigs, name: string): string {
  const value = statics.get(name) ?? BROKER_CONFIGS.get(name)?.default
  assert(value !== undefined && value !== null, `no value for ${name}`)
  return value
}
