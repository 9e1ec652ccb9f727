// How a message is declared: builders for fields, and the TypeScript types that follow from a declaration.
import { ZERO_UUID } from '../uuid.ts'
import { NO_VERSIONS, parseVersions, type VersionRange } from './versions.ts'

const IMPLICIT_DEFAULTS = {
  bool: false,
  int8: 0,
  int16: 0,
  uint16: 0,
  int32: 0,
  uint32: 0,
  int64: 0,
  float64: 0,
  string: '',
  uuid: ZERO_UUID,
  bytes: new Uint8Array(0),
  records: null,
}

export type Primitive = keyof typeof IMPLICIT_DEFAULTS

interface Common {
  readonly versions: VersionRange
  /** Versions in which null is legal on the wire. */
  readonly nullable: VersionRange
  /** Versions in which the field travels in the tagged section (KIP-482). */
  readonly tagged: VersionRange
  readonly tag: number | undefined
  /** A version without this field may drop a value that is not the default. */
  readonly ignorable: boolean
}

export interface PrimitiveSpec extends Common {
  readonly type: Primitive
  /** A number, string, boolean, empty bytes, or null. */
  readonly default: unknown
}

/** The default of an array is empty, that of a struct all its defaults, unless it is null. */
export interface ArraySpec extends Common {
  readonly type: 'array'
  readonly default: 'empty' | null
  readonly element: Primitive | Fields
}

export interface StructSpec extends Common {
  readonly type: 'struct'
  readonly default: 'empty' | null
  readonly fields: Fields
}

export type FieldSpec = PrimitiveSpec | ArraySpec | StructSpec

/** `Out` is what decode gives, `In` what encode takes; neither exists at run time. */
export interface Field<Out = unknown, In = Out> {
  readonly spec: FieldSpec
  readonly out?: Out
  readonly in?: In
}

/** In the order of the wire. */
export interface Fields {
  readonly [name: string]: Field
}

/** What decode gives: every field, with its default where a version lacks it. */
export type ValueOf<F> = { -readonly [K in keyof F]: F[K] extends Field<infer Out, infer _In> ? Out : never }

/** What encode takes: what is left out is the default, declared or Kafka's own (0, false, '', empty, the zero uuid). */
export type InputOf<F> = { readonly [K in keyof F]?: F[K] extends Field<infer _Out, infer In> ? In : never }

export interface Options<Default> {
  readonly nullable?: string
  readonly default?: Default | null
  readonly tag?: number
  /** As `versions` when left out. */
  readonly taggedVersions?: string
  readonly ignorable?: boolean
}

type NullIn<O> = O extends { readonly nullable: string } ? null : never

export interface Builder<Out, In = Out> {
  <const O extends Options<Out> = {}>(versions: string, options?: O): Field<Out | NullIn<O>, In | NullIn<O>>
  readonly primitive: Primitive
}

function common(versions: string, options: Options<unknown>): Common {
  return {
    versions: parseVersions(versions),
    nullable: options.nullable === undefined ? NO_VERSIONS : parseVersions(options.nullable),
    tagged: options.tag === undefined ? NO_VERSIONS : parseVersions(options.taggedVersions ?? versions),
    tag: options.tag,
    ignorable: options.ignorable ?? false,
  }
}

function builder<Out, In = Out>(primitive: Primitive): Builder<Out, In> {
  function build(versions: string, options: Options<unknown> = {}): Field<never, never> {
    const value = options.default === undefined ? IMPLICIT_DEFAULTS[primitive] : options.default
    return { spec: { ...common(versions, options), type: primitive, default: value } }
  }
  return Object.assign(build, { primitive }) as Builder<Out, In>
}

export const bool = builder<boolean>('bool')
export const int8 = builder<number>('int8')
export const int16 = builder<number>('int16')
export const uint16 = builder<number>('uint16')
export const int32 = builder<number>('int32')
export const uint32 = builder<number>('uint32')
/** A safe integer: a larger value off the wire is malformed, a larger value to encode is our mistake. */
export const int64 = builder<number>('int64')
export const float64 = builder<number>('float64')
export const string = builder<string>('string')
export const uuid = builder<string>('uuid')
/** Decodes to a view of the input. */
export const bytes = builder<Uint8Array>('bytes')
/** As bytes; encoding takes several pieces too, so that batches from different places need no copy. */
export const records = builder<Uint8Array | null, Uint8Array | readonly Uint8Array[] | null>('records')

/** Kafka writes Long.MAX_VALUE as a default in one place; it has no exact number, and is never put on the wire. */
export const INT64_MAX = 2 ** 63

type ElementOut<E> = E extends Builder<infer Out, infer _In> ? Out : ValueOf<E>
type ElementIn<E> = E extends Builder<infer _Out, infer In> ? In : InputOf<E>

export function array<const E extends Builder<any, any> | Fields, const O extends Options<never> = {}>(
  versions: string,
  element: E,
  options?: O,
): Field<ElementOut<E>[] | NullIn<O>, readonly ElementIn<E>[] | NullIn<O>> {
  const spec: ArraySpec = {
    ...common(versions, options ?? {}),
    type: 'array',
    default: options?.default === null ? null : 'empty',
    element: typeof element === 'function' ? element.primitive : (element as Fields),
  }
  return { spec }
}

export function struct<const F extends Fields, const O extends Options<never> = {}>(
  versions: string,
  fields: F,
  options?: O,
): Field<ValueOf<F> | NullIn<O>, InputOf<F> | NullIn<O>> {
  const spec: StructSpec = {
    ...common(versions, options ?? {}),
    type: 'struct',
    default: options?.default === null ? null : 'empty',
    fields,
  }
  return { spec }
}
