// Compiles a layout to a decoder: one function per struct, with a read per field and no decision left that the version decides.
import { countMethodOf, type ElementForm, type Layout, leastBytes, methodOf, type Slot, taggedSlots } from './layout.ts'
import type { Reader } from './reader.ts'

export type Decode = (reader: Reader) => Record<string, unknown>

const EMPTY = new Uint8Array(0)

export function compileDecoder(layout: Layout): Decode {
  const source: string[] = []
  const root = emitStruct(source, layout, 'root', '')
  return new Function('EMPTY', `'use strict'\n${source.join('\n')}\nreturn ${root}`)(EMPTY) as Decode
}

/** Emits the function that reads a struct, after those of the structs inside it, and returns its name. */
function emitStruct(source: string[], layout: Layout, name: string, path: string): string {
  const body: string[] = []
  for (const slot of layout.slots) {
    const at = path === '' ? slot.name : `${path}.${slot.name}`
    const value = slot.place === 'body' ? emitRead(source, body, slot, layout, `${name}_${slot.name}`, at) : emitDefault(slot)
    body.push(`let $${slot.name} = ${value}`)
  }
  if (layout.flexible) emitTags(source, body, layout, name, path)
  const properties = layout.slots.map((slot) => `${slot.name}: $${slot.name}`).join(', ')
  source.push(`function ${name}(r) {\n${body.join('\n')}\nreturn { ${properties} }\n}`)
  return name
}

function emitTags(source: string[], body: string[], layout: Layout, name: string, path: string): void {
  const what = JSON.stringify(`${path === '' ? '' : `${path}.`}tags`)
  const slots = taggedSlots(layout)
  if (slots.length === 0) {
    body.push(`r.skipTags(${what})`)
    return
  }
  body.push(`for (let left = r.uvarint(${what}); left > 0; left--) {`)
  body.push(`const tag = r.uvarint(${what}), end = r.tagEnd(${what})`, 'switch (tag) {')
  for (const slot of slots) {
    const at = path === '' ? slot.name : `${path}.${slot.name}`
    body.push(`case ${slot.tag}: {`)
    const value = emitRead(source, body, slot, layout, `${name}_${slot.name}`, at)
    body.push(`$${slot.name} = ${value}`, `r.closeTag(end, ${JSON.stringify(at)})`, 'break', '}')
  }
  body.push('default: r.position = end', '}', '}')
}

/** Emits the statements that reading a value takes, and returns the expression of the value. */
function emitRead(source: string[], body: string[], slot: Slot, layout: Layout, name: string, path: string): string {
  const what = JSON.stringify(path)
  const { form, nullable } = slot
  if (form.kind === 'primitive') return `r.${methodOf(form.type, nullable, layout.flexible)}(${what})`
  if (form.kind === 'struct') {
    const read = `${emitStruct(source, form.layout, name, path)}(r)`
    const present = slot.place === 'tagged' ? 'taggedPresent' : 'present'
    return nullable ? `r.${present}(${what}) ? ${read} : null` : read
  }
  return emitArray(source, body, form.element, slot, layout.flexible, name, what, path)
}

function emitArray(
  source: string[],
  body: string[],
  element: ElementForm,
  slot: Slot,
  flexible: boolean,
  name: string,
  what: string,
  path: string,
): string {
  const least = Math.max(1, leastBytes(element, false, flexible))
  const read =
    element.kind === 'struct'
      ? `${emitStruct(source, element.layout, name, `${path}[]`)}(r)`
      : `r.${methodOf(element.type, false, flexible)}(${what})`
  body.push(`const count_${slot.name} = r.${countMethodOf(slot.nullable, flexible)}(${least}, ${what})`)
  body.push(`const array_${slot.name} = ${slot.nullable ? `count_${slot.name} < 0 ? null : []` : '[]'}`)
  body.push(`for (let i = 0; i < count_${slot.name}; i++) array_${slot.name}.push(${read})`)
  return `array_${slot.name}`
}

/** The expression of a fresh default: arrays and structs are never shared between decoded values. */
function emitDefault(slot: Slot): string {
  if (slot.default === null) return 'null'
  if (slot.form.kind === 'array') return '[]'
  if (slot.form.kind === 'struct') {
    return `{ ${slot.form.layout.slots.map((inner) => `${inner.name}: ${emitDefault(inner)}`).join(', ')} }`
  }
  return slot.default instanceof Uint8Array ? 'EMPTY' : JSON.stringify(slot.default)
}
