import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { errorName, Errors, isRetriable, needsCoordinator, needsMetadata } from '../src/index.ts'

const FILE = join(import.meta.dirname, '../../../../shared/reference/errors.tsv')

describe('errors', () => {
  it('have names, also when nobody knows them', () => {
    expect(errorName(Errors.NOT_LEADER_OR_FOLLOWER)).toBe('NOT_LEADER_OR_FOLLOWER')
    expect(errorName(-1)).toBe('UNKNOWN_SERVER_ERROR')
    expect(errorName(999)).toBe('ERROR_999')
  })

  it.skipIf(!existsSync(FILE))("are Kafka's, and retriable where Kafka's are", () => {
    const rows = readFileSync(FILE, 'utf8').trimEnd().split('\n').slice(1)
    expect(Object.keys(Errors).length).toBe(rows.length)
    for (const row of rows) {
      const [code, name, , flags] = row.split('\t') as [string, string, string, string]
      expect(errorName(Number(code))).toBe(name)
      expect(
        [isRetriable, needsMetadata, needsCoordinator].map((is) => is(Number(code))),
        name,
      ).toEqual(['R', 'M', 'F'].map((flag) => flags.includes(flag)))
    }
  })
})
