// Every kind of fault that the product has is described in docs/faults.md, and there are tests of it in both worlds: on processes, and in containers.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { FAMILIES } from '../packages/director/src/fault/families/index.ts'
import { STORIES } from './kinds/index.ts'

const read = (path: string) => readFileSync(join(import.meta.dirname, path), 'utf8')
const ROWS = read('../docs/faults.md')
  .split('\n')
  .filter((line) => line.startsWith('| '))

const WORLDS = { processes: 'processes/every-kind.test.ts', containers: 'compose/every-kind.test.ts' }
type World = keyof typeof WORLDS

/** Stories that are not the same in both. */
const OWN: Readonly<Record<string, Readonly<Record<World, string>>>> = {
  'process wipe': { processes: 'processes/roll-and-wipe.test.ts', containers: WORLDS.containers },
}

const ALL = FAMILIES.flatMap(({ family, kinds }) => kinds.map(({ kind }) => [family, kind] as const))

describe.each(ALL)('%s %s', (family, kind) => {
  it('has a row in docs/faults.md', () => {
    expect(ROWS.some((row) => row.split(' | ')[0]!.includes(`\`${kind}\``))).toBe(true)
  })

  it.each(Object.keys(WORLDS) as World[])('has a test in %s', (world) => {
    const own = OWN[`${family} ${kind}`]?.[world]
    expect(own ? read(own).includes(`'${kind}'`) : kind in (STORIES[family] ?? {})).toBe(true)
  })
})

describe.each(Object.values(WORLDS))('%s', (file) => {
  it('plays the stories', () => expect(read(file)).toContain('showEveryKind('))
})

it('there is no story of a kind that is gone', () => {
  const told = Object.entries(STORIES).flatMap(([family, stories]) => Object.keys(stories).map((kind) => `${family} ${kind}`))
  expect([...told, ...Object.keys(OWN)].sort()).toEqual(ALL.map((names) => names.join(' ')).sort())
})
