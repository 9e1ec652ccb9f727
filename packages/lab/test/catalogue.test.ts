// The catalogue as it is in chaos/: each file is an experiment that says what it is, and an editor's schema says the same as we do.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { experimentJsonSchema, readExperiment } from '../src/index.ts'

const FOLDER = join(import.meta.dirname, '../../../chaos')
const FILES = readdirSync(FOLDER).filter((name) => name.endsWith('.yaml'))
const textOf = (file: string) => readFileSync(join(FOLDER, file), 'utf8')
const read = (file: string) => readExperiment(join(FOLDER, file), textOf(file))
const LONGEST_MS = 25_000

describe('the catalogue', () => {
  it('has at least forty experiments, and some that fail on purpose', () => {
    expect(FILES.length).toBeGreaterThanOrEqual(40)
    expect(FILES.filter((f) => read(f).verdict === 'fail').length).toBeGreaterThanOrEqual(5)
  })

  it.each(FILES)('%s says what it is', (file) => {
    const experiment = read(file)
    expect(experiment.name).toBe(basename(file, '.yaml'))
    expect(experiment.theme).toBeDefined()
    expect(experiment.about.match(/\.(?=\s|$)/g)?.length ?? 0).toBeGreaterThanOrEqual(2)
    expect(experiment.about).toMatch(/Kafka|KIP/)
    expect(/on purpose/.test(experiment.about)).toBe(experiment.verdict === 'fail')
    const last = Math.max(...experiment.timeline.map((s) => s.at + (s.fault?.ttl ?? 0)))
    expect(experiment.steady + last + experiment.recover).toBeLessThanOrEqual(LONGEST_MS)
  })

  it('has no two that are alike', () => {
    const abouts = FILES.map((f) => read(f).about)
    expect(new Set(abouts).size).toBe(FILES.length)
    const broken = FILES.map((f) => {
      const { cluster, topics, workload, timeline, expect: expected } = read(f)
      return JSON.stringify([cluster, topics, workload, timeline, expected])
    })
    expect(new Set(broken).size).toBe(FILES.length)
  })

  it('is toured in docs/chaos.md', () => {
    const tour = readFileSync(join(FOLDER, '../docs/chaos.md'), 'utf8')
    expect(FILES.map((f) => basename(f, '.yaml')).filter((name) => !tour.includes(`\`${name}\``))).toEqual([])
  })

  it('has the programs that its experiments start', () => {
    const commands = FILES.flatMap((f) => read(f).workload.flatMap((w) => (w.kind === 'app' ? [w.command] : [])))
    const programs = commands.map((c) => /^node "(.+)"$/.exec(c)?.[1] ?? c)
    expect(programs.length).toBeGreaterThan(0)
    expect(programs.filter((p) => !existsSync(p))).toEqual([])
  })
})

describe('the schema for editors', () => {
  it('says of every property what it is', () => {
    const [missing, found] = [[] as string[], [] as string[]]
    const look = (at: unknown, path: string) => {
      if (typeof at !== 'object' || at === null) return
      for (const [name, inner] of Object.entries(at)) {
        if (name !== 'properties') look(inner, `${path}/${name}`)
        else
          for (const [property, of] of Object.entries(inner as Record<string, { description?: string }>)) {
            found.push(property)
            if (!of.description) missing.push(`${path}.${property}`)
            look(of, `${path}.${property}`)
          }
      }
    }
    look(experimentJsonSchema(), '')
    expect(missing).toEqual([])
    for (const one of ['name', 'brokers', 'acks', 'kill', 'probability', 'lost', 'readAgain']) expect(found).toContain(one)
  })

  const schema = z.fromJSONSchema(experimentJsonSchema() as Parameters<typeof z.fromJSONSchema>[0])

  it.each([...FILES, 'templates/new.yaml'])('accepts %s', (file) => {
    expect(schema.safeParse(parse(textOf(file))).error?.issues).toBeUndefined()
  })

  it.each<[string, (text: string) => string]>([
    ['a key that means nothing', (text) => text.replace('workload:', 'worklode:')],
    ['a value of the wrong type', (text) => text.replace('rate: 400', 'rate: fast')],
    ['a kind that is none', (text) => text.replace('kind: producer', 'kind: produser')],
    ['a verdict that is none', (text) => `${text}\nverdict: maybe\n`],
  ])('refuses %s', (_, change) => {
    expect(schema.safeParse(parse(change(textOf('leader-kill.yaml')))).success).toBe(false)
  })
})
