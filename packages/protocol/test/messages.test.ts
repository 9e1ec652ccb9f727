// What must hold for every declared message in every version.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { APIS, apiByKey, join, MalformedError, type Message } from '../src/index.ts'
import { partsOf, plain, valuesOf } from './arbitrary.ts'
import { DECLARED, versionsOf } from './declared.ts'

const hex = (chunks: readonly Uint8Array[]) => Buffer.concat(chunks).toString('hex')

function decodesOrRefuses(message: Message, bytes: Uint8Array, version: number, fields: number): void {
  try {
    const parts = partsOf(message.decode(bytes, version))
    // An element takes a byte at least and may bring as many parts as its struct has fields.
    if (parts > (bytes.length + 1) * fields) expect.fail(`${bytes.length} bytes became ${parts} parts`)
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error
  }
}

/** The most fields that one struct of a message has, those of structs inside it included. */
function fieldCount(message: Message): number {
  const count = (fields: Message['fields']): number =>
    Object.values(fields).reduce((sum, { spec }) => {
      const inner =
        spec.type === 'struct' ? spec.fields : spec.type === 'array' && typeof spec.element !== 'string' && spec.element
      return sum + 2 + (inner ? count(inner as Message['fields']) : 0)
    }, 1)
  return count(message.fields)
}

describe('every message in every version', () => {
  for (const message of DECLARED) {
    it(`${message.name} round-trips both ways`, () => {
      for (const version of versionsOf(message)) {
        fc.assert(
          fc.property(valuesOf(message, version), (value) => {
            const chunks = message.encode(value as never, version)
            const decoded = message.decode(join(chunks), version)
            expect(plain(decoded, value)).toEqual(plain(value))
            expect(hex(message.encode(decoded, version))).toBe(hex(chunks))
          }),
          { seed: version, numRuns: 25 },
        )
      }
    })

    it(`${message.name} cut short or damaged gives MalformedError or a value, in bounded memory`, () => {
      const fields = fieldCount(message)
      for (const version of versionsOf(message)) {
        const values = fc.sample(valuesOf(message, version), { seed: version, numRuns: 3 })
        for (const value of values) {
          const whole = Buffer.concat(message.encode(value as never, version))
          const step = Math.max(1, Math.floor(whole.length / 300))
          for (let cut = 0; cut < whole.length; cut += step) decodesOrRefuses(message, whole.subarray(0, cut), version, fields)
          const damage = fc.array(fc.tuple(fc.nat(Math.max(0, whole.length - 1)), fc.nat(255)), { minLength: 1, maxLength: 3 })
          for (const changes of fc.sample(damage, { seed: version, numRuns: 60 })) {
            const bytes = Buffer.from(whole)
            for (const [at, byte] of changes) bytes[at] = byte
            decodesOrRefuses(message, bytes, version, fields)
          }
        }
        for (const bytes of fc.sample(fc.uint8Array({ maxLength: 50 }), { seed: version, numRuns: 30 })) {
          decodesOrRefuses(message, bytes, version, fields)
        }
      }
    })

    it(`${message.name} encodes from nothing to its defaults`, () => {
      for (const version of versionsOf(message)) {
        const first = message.decode(join(message.encode({}, version)), version)
        expect(hex(message.encode(first, version))).toBe(hex(message.encode({}, version)))
      }
    })
  }
})

describe('APIS', () => {
  it('are in the order of their keys and found by them', () => {
    expect(APIS.map((api) => api.key)).toEqual(APIS.map((api) => api.key).toSorted((a, b) => a - b))
    for (const api of APIS) expect(apiByKey(api.key)).toBe(api)
    expect(apiByKey(-1)).toBeUndefined()
  })
})
