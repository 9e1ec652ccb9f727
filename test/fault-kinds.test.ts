// Every kind of fault that the product has is described in docs/faults.md, and there is a test of it on real processes.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { FAMILIES } from '../packages/director/src/fault/families/index.ts'

const read = (path: string) => readFileSync(join(import.meta.dirname, path), 'utf8')
const ROWS = read('../docs/faults.md')
  .split('\n')
  .filter((line) => line.startsWith('| '))
const EVERY_KIND = read('processes/every-kind.test.ts')

/** Stories of their own. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'process roll': 'processes/roll-and-wipe.test.ts',
  'process wipe': 'processes/roll-and-wipe.test.ts',
  'storage lose-unsynced': 'processes/inner-faults.test.ts',
}

const ALL = FAMILIES.flatMap(({ family, kinds }) => kinds.map(({ kind }) => [family, kind] as const))

describe.each(ALL)('%s %s', (family, kind) => {
  it('has a row in docs/faults.md', () => {
    expect(ROWS.some((row) => row.split(' | ')[0]!.includes(`\`${kind}\``))).toBe(true)
  })

  it('has a test on real processes that names it', () => {
    const elsewhere = ELSEWHERE[`${family} ${kind}`]
    const isNamed = EVERY_KIND.includes(`'${family} ${kind}:`)
    const isListed = EVERY_KIND.includes(`'${family} %s:`) && EVERY_KIND.includes(`'${kind}'`)
    expect(elsewhere ? read(elsewhere).includes(`'${kind}'`) : isNamed || isListed).toBe(true)
  })
})
