// A toxic as Toxiproxy has it: a type, a direction, a share of the connections that it works on, and numbers.
import { ProxyError } from './proxy-error.ts'
import type { LinkControl, Output, Stage } from './link.ts'
import { KINDS } from './toxics/index.ts'

export type Direction = 'upstream' | 'downstream'
export type Attributes = Readonly<Record<string, number>>

/** One file each in toxics/. */
export interface ToxicKind {
  readonly type: string
  /** Attributes with their defaults. */
  readonly attributes: Attributes
  attach(attributes: () => Attributes, output: Output, link: LinkControl): Stage
}

export interface ToxicJson {
  readonly name: string
  readonly type: string
  readonly stream: Direction
  readonly toxicity: number
  readonly attributes: Attributes
}

export class Toxic {
  readonly name: string
  readonly stream: Direction
  readonly #kind: ToxicKind
  #toxicity: number
  #attributes: Attributes

  /** Throws ProxyError for what is no toxic. */
  constructor(json: Partial<ToxicJson>) {
    const { type = '', stream = 'downstream' } = json
    const kind = KINDS.get(type)
    if (!kind) throw new ProxyError(400, 'invalid toxic type')
    if (stream !== 'upstream' && stream !== 'downstream')
      throw new ProxyError(400, 'stream was invalid, can be either upstream or downstream')
    this.#kind = kind
    this.stream = stream
    this.name = json.name || `${type}_${stream}`
    this.#toxicity = json.toxicity ?? 1
    this.#attributes = { ...kind.attributes, ...json.attributes }
  }

  get toxicity(): number {
    return this.#toxicity
  }

  update({ toxicity, attributes }: Partial<ToxicJson>): void {
    this.#toxicity = toxicity ?? this.#toxicity
    this.#attributes = { ...this.#attributes, ...attributes }
  }

  attach(output: Output, link: LinkControl): Stage {
    return this.#kind.attach(() => this.#attributes, output, link)
  }

  toJSON(): ToxicJson {
    const { name, stream } = this
    return { attributes: this.#attributes, name, type: this.#kind.type, stream, toxicity: this.#toxicity }
  }
}
