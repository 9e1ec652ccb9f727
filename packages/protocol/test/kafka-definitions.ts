// Compares a declared message with Kafka's own definition, field by field.
import type { Field, Fields, Message } from '../src/index.ts'
import { parseVersions, type VersionRange } from '../src/schema/versions.ts'

export interface KafkaField {
  readonly name: string
  readonly type: string
  readonly versions?: string
  readonly nullableVersions?: string
  readonly tag?: number
  readonly taggedVersions?: string
  readonly default?: unknown
  readonly ignorable?: boolean
  readonly fields?: readonly KafkaField[]
}

export interface KafkaMessage {
  readonly name: string
  readonly apiKey?: number
  readonly type: string
  readonly validVersions: string
  readonly flexibleVersions: string
  readonly latestVersionUnstable?: boolean
  readonly fields: readonly KafkaField[]
  readonly commonStructs?: readonly { readonly name: string; readonly fields: readonly KafkaField[] }[]
}

/** The differences, as text; none when the declaration says what the definition says in the versions that both have. */
export function differences(message: Message, kafka: KafkaMessage): string[] {
  const valid = parseVersions(kafka.validVersions)
  const versions = { min: valid.min, max: valid.max - (kafka.latestVersionUnstable ? 1 : 0) }
  const out: string[] = []
  const expect = (what: string, ours: unknown, theirs: unknown) => {
    if (ours !== theirs) out.push(`${message.name}${what}: ${String(ours)}, Kafka has ${String(theirs)}`)
  }
  expect(' versions', `${message.minVersion}-${message.maxVersion}`, `${versions.min}-${versions.max}`)
  expect(' flexible', show(message.flexible, versions), show(parseVersions(kafka.flexibleVersions), versions))
  compareFields('', message.fields, kafka.fields, { kafka, versions, expect })
  return out
}

interface Context {
  readonly kafka: KafkaMessage
  readonly versions: VersionRange
  readonly expect: (what: string, ours: unknown, theirs: unknown) => void
}

/** A range cut to the versions that exist: "0+" and "0-13" may mean the same. */
function show(range: VersionRange, within: VersionRange): string {
  const min = Math.max(range.min, within.min)
  const max = Math.min(range.max, within.max)
  return min > max ? 'none' : `${min}-${max}`
}

function camelCase(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1)
}

function compareFields(path: string, ours: Fields, all: readonly KafkaField[], context: Context): void {
  const theirs = all.filter((field) => parseVersions(field.versions ?? field.taggedVersions!).min <= context.versions.max)
  context.expect(`${path} fields`, Object.keys(ours).join(), theirs.map((field) => camelCase(field.name)).join())
  for (const field of theirs) {
    const own = ours[camelCase(field.name)]
    if (own) compareField(`${path}.${camelCase(field.name)}`, own, field, context)
  }
}

function compareField(path: string, { spec }: Field, theirs: KafkaField, context: Context): void {
  const { versions, expect } = context
  const range = (text: string | undefined) => show(parseVersions(text ?? 'none'), versions)
  expect(`${path} versions`, show(spec.versions, versions), range(theirs.versions ?? theirs.taggedVersions))
  expect(`${path} nullable`, show(spec.nullable, versions), range(theirs.nullableVersions))
  expect(`${path} tag`, spec.tag, theirs.tag)
  expect(`${path} tagged`, show(spec.tagged, versions), range(theirs.taggedVersions))
  expect(`${path} ignorable`, spec.ignorable, theirs.ignorable ?? false)
  expect(`${path} default`, shownDefault(spec.default), defaultOf(theirs))

  const element = theirs.type.startsWith('[]') ? theirs.type.slice(2) : undefined
  const inner = theirs.fields ?? context.kafka.commonStructs?.find((it) => it.name === (element ?? theirs.type))?.fields
  expect(`${path} type`, typeOf(spec), `${element === undefined ? '' : '[]'}${inner ? 'struct' : (element ?? theirs.type)}`)
  const fields = spec.type === 'struct' ? spec.fields : spec.type === 'array' && typeof spec.element !== 'string' && spec.element
  if (fields && inner) compareFields(path, fields as Fields, inner, context)
}

function typeOf(spec: Field['spec']): string {
  if (spec.type !== 'array') return spec.type
  return `[]${typeof spec.element === 'string' ? spec.element : 'struct'}`
}

function shownDefault(value: unknown): string {
  return value instanceof Uint8Array ? 'empty' : String(value)
}

const IMPLICIT: Record<string, string> = { bool: 'false', string: '', uuid: 'A'.repeat(22), bytes: 'empty', records: 'null' }

function defaultOf({ type, default: value }: KafkaField): string {
  const number = /^(u?int\d+|float64)$/.test(type)
  if (value === 'null') return 'null'
  // A null that is not quoted is none to Kafka's generator.
  if (value === undefined || value === null) return number ? '0' : (IMPLICIT[type] ?? 'empty')
  if (number) return String(Number(value))
  return type.startsWith('[]') && value === '' ? 'empty' : String(value)
}
