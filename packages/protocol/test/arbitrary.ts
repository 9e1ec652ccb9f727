// Arbitrary values of declared messages, and the plain form in which two values can be compared.
import fc from 'fast-check'
import type { Field, Fields, Message } from '../src/index.ts'
import { contains } from '../src/schema/versions.ts'
import type { Primitive } from '../src/schema/fields.ts'

const TEXT = fc.string({ unit: 'grapheme', maxLength: 12 })
const BYTES = fc.oneof(
  { weight: 9, arbitrary: fc.uint8Array({ maxLength: 20 }) },
  { weight: 1, arbitrary: fc.constant(new Uint8Array(1500).fill(5)) },
)

const PRIMITIVES: Record<Primitive, fc.Arbitrary<unknown>> = {
  bool: fc.boolean(),
  int8: fc.integer({ min: -0x80, max: 0x7f }),
  int16: fc.integer({ min: -0x8000, max: 0x7fff }),
  uint16: fc.integer({ min: 0, max: 0xffff }),
  int32: fc.oneof(fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }), fc.integer({ min: -2, max: 200 })),
  uint32: fc.integer({ min: 0, max: 0xffff_ffff }),
  int64: fc.oneof(fc.maxSafeInteger(), fc.integer({ min: -2, max: 200 })),
  float64: fc.double({ noNaN: true }),
  string: fc.oneof({ weight: 9, arbitrary: TEXT }, { weight: 1, arbitrary: fc.constant('é'.repeat(200)) }),
  uuid: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes).toString('base64url')),
  bytes: BYTES,
  records: BYTES,
}

/** Values with every field that the version carries; fields that it does not carry are left out. */
export function valuesOf(message: Message, version: number): fc.Arbitrary<Record<string, unknown>> {
  return fieldsOf(message.fields, version)
}

function fieldsOf(fields: Fields, version: number): fc.Arbitrary<Record<string, unknown>> {
  const present = Object.entries(fields).filter(([, field]) => contains(field.spec.versions, version))
  return fc.record(Object.fromEntries(present.map(([name, field]) => [name, fieldOf(field, version)])))
}

function fieldOf({ spec }: Field, version: number): fc.Arbitrary<unknown> {
  const value = elementOf(spec, version)
  const nullable = contains(spec.nullable, version)
  // Often the default, so that tagged fields are left out as well as written.
  const usual =
    spec.type !== 'array' && spec.type !== 'struct' && !(spec.default === null && !nullable) && Number.isSafeInteger(spec.default)
  const choices = [{ weight: 4, arbitrary: value }]
  if (usual) choices.push({ weight: 1, arbitrary: fc.constant(spec.default) })
  if (nullable) choices.push({ weight: 1, arbitrary: fc.constant(null) })
  return fc.oneof(...choices)
}

function elementOf(spec: Field['spec'], version: number): fc.Arbitrary<unknown> {
  if (spec.type === 'struct') return fieldsOf(spec.fields, version)
  if (spec.type !== 'array') return PRIMITIVES[spec.type]
  const element = typeof spec.element === 'string' ? PRIMITIVES[spec.element] : fieldsOf(spec.element, version)
  return fc.array(element, { maxLength: 3 })
}

/** Bytes as hex, and only what `like` has: a decoded value has defaults of fields that its version does not carry. */
export function plain(value: unknown, like: unknown = value): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (Array.isArray(value)) return value.map((it, i) => plain(it, (like as unknown[])[i]))
  if (value === null || typeof value !== 'object') return value
  const names = Object.keys(like as object)
  return Object.fromEntries(names.map((name) => [name, plain((value as never)[name], (like as never)[name])]))
}

/** How many arrays, structs and elements a value is made of. */
export function partsOf(value: unknown): number {
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return 1
  return Object.values(value).reduce((sum: number, it) => sum + partsOf(it), 1)
}
