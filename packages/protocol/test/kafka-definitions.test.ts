import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { array, heartbeat, int32, int64, message, string } from '../src/index.ts'
import { DECLARED } from './declared.ts'
import { differences, type KafkaMessage } from './kafka-definitions.ts'

const FILE = join(import.meta.dirname, '../../../../shared/reference/kafka-messages-4.4.json')

describe.skipIf(!existsSync(FILE))("Kafka's definitions", () => {
  const definitions: readonly KafkaMessage[] = existsSync(FILE) ? JSON.parse(readFileSync(FILE, 'utf8')) : []
  const definition = (name: string): KafkaMessage => {
    const found = definitions.find((it) => it.name === name)!
    // Only the request says that the newest version of both is unstable.
    const request = definitions.find((it) => it.type === 'request' && it.apiKey === found.apiKey)
    const unstable = found.type === 'response' ? request?.latestVersionUnstable : found.latestVersionUnstable
    return { ...found, latestVersionUnstable: unstable ?? false }
  }

  for (const declared of DECLARED) {
    it(`${declared.name} says the same`, () => {
      expect(differences(declared, definition(declared.name))).toEqual([])
    })
  }

  const fields = heartbeat.request.fields
  const versions = { versions: '0-4', flexible: '4+' }
  const altered: [string, ReturnType<typeof message>][] = [
    ['another type', message('x', versions, { ...fields, generationId: int64('0+') })],
    ['another first version', message('x', versions, { ...fields, memberId: string('1+') })],
    ['another null', message('x', versions, { ...fields, memberId: string('0+', { nullable: '3+' }) })],
    ['another default', message('x', versions, { ...fields, generationId: int32('0+', { default: -1 }) })],
    ['another tag', message('x', versions, { ...fields, generationId: int32('0+', { tag: 0, taggedVersions: '4+' }) })],
    ['another name', message('x', versions, { groupId: fields.groupId, generation: int32('0+'), memberId: fields.memberId })],
    ['another order', message('x', versions, Object.fromEntries(Object.entries(fields).toReversed()))],
    ['one field more', message('x', versions, { ...fields, topics: array('0+', string) })],
    ['another last version', message('x', { versions: '0-5', flexible: '4+' }, fields)],
    ['another flexible version', message('x', { versions: '0-4', flexible: '3+' }, fields)],
    ['not ignorable', message('x', versions, { ...fields, memberId: string('0+', { ignorable: true }) })],
  ]
  for (const [what, wrong] of altered) {
    it(`would tell ${what}`, () => {
      expect(differences(heartbeat.request, definition('HeartbeatRequest'))).toEqual([])
      expect(differences(wrong, definition('HeartbeatRequest'))).not.toEqual([])
    })
  }
})
