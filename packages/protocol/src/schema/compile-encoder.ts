// Compiles a layout to an encoder: one function per struct, with a write per field and no decision left that the version decides.
import { type ElementForm, type Layout, methodOf, type Slot, taggedSlots } from './layout.ts'
import type { Writer } from './writer.ts'

export type Encode = (writer: Writer, value: unknown) => void

const EMPTY = new Uint8Array(0)
/** Stands for a struct that was left out: all of its fields are, too. */
const ALL_DEFAULTS = Object.freeze({})

export function compileEncoder(layout: Layout): Encode {
  const source: string[] = []
  const root = emitStruct(source, layout, 'root', '')
  const make = new Function('EMPTY', 'ALL_DEFAULTS', 'NONE', `'use strict'\n${source.join('\n')}\nreturn ${root}`)
  return make(EMPTY, ALL_DEFAULTS, Object.freeze([])) as Encode
}

/** Emits the function that writes a struct, after those of the structs inside it, and returns its name. */
function emitStruct(source: string[], layout: Layout, name: string, path: string): string {
  const body: string[] = []
  for (const slot of layout.slots) {
    const { what, variable } = names(slot, path)
    if (slot.place === 'absent' && slot.ignorable) continue
    body.push(`const ${variable} = v.${slot.name} === undefined ? ${defaultOf(slot)} : v.${slot.name}`)
    if (slot.place === 'body') emitWrite(source, body, slot, layout, `${name}_${slot.name}`, path)
    if (slot.place === 'absent') {
      const isDefault = emitIsDefault(source, slot, variable, `${name}_${slot.name}`)
      body.push(`if (!(${isDefault})) w.fail(${what}, 'this version cannot carry it')`)
    }
  }
  if (layout.flexible) emitTags(source, body, layout, name, path)
  source.push(`function ${name}(w, v) {\n${body.join('\n')}\n}`)
  return name
}

function names(slot: Slot, path: string): { what: string; at: string; variable: string } {
  const at = path === '' ? slot.name : `${path}.${slot.name}`
  return { at, what: JSON.stringify(at), variable: `$${slot.name}` }
}

/** A tagged field is written only when it is not the default (KIP-482), and the section begins with how many are. */
function emitTags(source: string[], body: string[], layout: Layout, name: string, path: string): void {
  const slots = taggedSlots(layout)
  for (const slot of slots) {
    const isDefault = emitIsDefault(source, slot, `$${slot.name}`, `${name}_${slot.name}`)
    body.push(`const has_${slot.name} = !(${isDefault})`)
  }
  body.push(`w.uvarint(${slots.map((slot) => `(has_${slot.name} ? 1 : 0)`).join(' + ') || '0'})`)
  for (const slot of slots) {
    body.push(`if (has_${slot.name}) {`, `const mark = w.openTag(${slot.tag})`)
    emitWrite(source, body, slot, layout, `${name}_${slot.name}`, path)
    body.push('w.closeTag(mark)', '}')
  }
}

function emitWrite(source: string[], body: string[], slot: Slot, layout: Layout, name: string, path: string): void {
  const { what, at, variable } = names(slot, path)
  const { form, nullable } = slot
  const { flexible } = layout
  if (form.kind === 'primitive') {
    body.push(`w.${methodOf(form.type, nullable, flexible)}(${variable}, ${what})`)
  } else if (form.kind === 'struct') {
    const write = `${emitStruct(source, form.layout, name, at)}(w, ${variable})`
    const present = slot.place === 'tagged' ? 'taggedPresent' : 'present'
    body.push(nullable ? `w.${present}(${variable} !== null)\nif (${variable} !== null) ${write}` : write)
  } else {
    const write = emitArray(source, form.element, flexible, variable, name, what, at)
    const none = flexible ? 'w.compactNullCount()' : 'w.nullCount()'
    body.push(nullable ? `if (${variable} === null) ${none}\nelse {\n${write}\n}` : write)
  }
}

function emitArray(
  source: string[],
  element: ElementForm,
  flexible: boolean,
  variable: string,
  name: string,
  what: string,
  at: string,
): string {
  const each = `for (let i = 0; i < ${variable}.length; i++)`
  const write =
    element.kind === 'struct'
      ? `${emitStruct(source, element.layout, name, `${at}[]`)}(w, ${variable}[i])`
      : `w.${methodOf(element.type, false, flexible)}(${variable}[i], ${what})`
  return `w.${flexible ? 'compactCount' : 'count'}(${variable}, ${what})\n${each} ${write}`
}

function defaultOf(slot: Slot): string {
  if (slot.default === null) return 'null'
  if (slot.form.kind === 'array') return 'NONE'
  if (slot.form.kind === 'struct') return 'ALL_DEFAULTS'
  return slot.default instanceof Uint8Array ? 'EMPTY' : JSON.stringify(slot.default)
}

/** The expression that says whether a value, which is not undefined, is the default. */
function emitIsDefault(source: string[], slot: Slot, variable: string, name: string): string {
  if (slot.default === null) return `${variable} === null`
  if (slot.form.kind === 'array' || slot.default instanceof Uint8Array) return `${variable} !== null && ${variable}.length === 0`
  if (slot.form.kind === 'primitive') return `${variable} === ${JSON.stringify(slot.default)}`
  const fields = slot.form.layout.slots.map((inner) => {
    const at = `v.${inner.name}`
    return `(${at} === undefined || ${emitIsDefault(source, inner, at, `${name}_${inner.name}`)})`
  })
  source.push(`function ${name}_isDefault(v) {\nreturn ${fields.join(' && ') || 'true'}\n}`)
  return `${variable} !== null && ${name}_isDefault(${variable})`
}
