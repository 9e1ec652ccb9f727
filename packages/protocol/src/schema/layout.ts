// What a declaration means in one version: which fields travel, where, and in which form. Encoder and decoder compile from this.
import type { Field, Fields, Primitive } from './fields.ts'
import { contains } from './versions.ts'

export interface Layout {
  readonly flexible: boolean
  readonly slots: readonly Slot[]
}

/** How a value is put on the wire. */
export type Form = ElementForm | { readonly kind: 'array'; readonly element: ElementForm }

/** Kafka has no arrays of arrays. */
export type ElementForm =
  { readonly kind: 'primitive'; readonly type: Primitive } | { readonly kind: 'struct'; readonly layout: Layout }

export interface Slot {
  readonly name: string
  readonly place: 'body' | 'tagged' | 'absent'
  readonly tag: number
  readonly nullable: boolean
  readonly ignorable: boolean
  readonly default: unknown
  readonly form: Form
}

export function layoutOf(fields: Fields, version: number, flexible: boolean): Layout {
  return { flexible, slots: Object.entries(fields).map(([name, field]) => slotOf(name, field, version, flexible)) }
}

function slotOf(name: string, { spec }: Field, version: number, flexible: boolean): Slot {
  const tagged = contains(spec.tagged, version)
  return {
    name,
    place: !contains(spec.versions, version) ? 'absent' : tagged ? 'tagged' : 'body',
    tag: spec.tag ?? -1,
    nullable: contains(spec.nullable, version),
    ignorable: spec.ignorable,
    default: spec.default,
    form: formOf(spec, version, flexible),
  }
}

function formOf(spec: Field['spec'], version: number, flexible: boolean): Form {
  if (spec.type === 'struct') return { kind: 'struct', layout: layoutOf(spec.fields, version, flexible) }
  if (spec.type !== 'array') return { kind: 'primitive', type: spec.type }
  const element: ElementForm =
    typeof spec.element === 'string'
      ? { kind: 'primitive', type: spec.element }
      : { kind: 'struct', layout: layoutOf(spec.element, version, flexible) }
  return { kind: 'array', element }
}

/** Tagged slots in the order of their tags, as they must be written. */
export function taggedSlots(layout: Layout): readonly Slot[] {
  return layout.slots.filter((slot) => slot.place === 'tagged').toSorted((a, b) => a.tag - b.tag)
}

const FIXED_BYTES: Partial<Record<Primitive, number>> = {
  bool: 1,
  int8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  int64: 8,
  float64: 8,
  uuid: 16,
}

/** The fewest bytes that a value takes: what bounds a claimed array length. */
export function leastBytes(form: Form, nullable: boolean, flexible: boolean): number {
  if (form.kind === 'array') return flexible ? 1 : 4
  if (form.kind === 'primitive') return FIXED_BYTES[form.type] ?? (flexible ? 1 : form.type === 'string' ? 2 : 4)
  if (nullable) return 1
  const body = form.layout.slots.filter((slot) => slot.place === 'body')
  return body.reduce((sum, slot) => sum + leastBytes(slot.form, slot.nullable, flexible), flexible ? 1 : 0)
}

/** The method of Reader and Writer for a primitive, but for strings and data the same in every version. */
export function methodOf(type: Primitive, nullable: boolean, flexible: boolean): string {
  const base = type === 'string' ? 'string' : type === 'bytes' || type === 'records' ? 'data' : undefined
  if (base === undefined) return type
  const name = nullable ? `nullable${capital(base)}` : base
  return flexible ? `compact${capital(name)}` : name
}

/** The method of Reader for the length of an array. */
export function countMethodOf(nullable: boolean, flexible: boolean): string {
  const name = nullable ? 'nullableCount' : 'count'
  return flexible ? `compact${capital(name)}` : name
}

function capital(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1)
}
