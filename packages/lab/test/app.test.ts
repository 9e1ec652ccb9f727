// A person's program as a workload: started, killed, stopped in its tracks, started again; what it says is kept, and not without end.
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Prng } from '@faultline/base'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { History, readExperiment } from '../src/index.ts'
import { startApp } from '../src/workloads/app.ts'

let logs: string
let died: string[]
let app: ReturnType<typeof startApp> | undefined

beforeEach(() => {
  logs = mkdtempSync(join(tmpdir(), 'app-'))
  died = []
})
afterEach(async () => {
  await app?.stop()
  rmSync(logs, { recursive: true, force: true })
})

function start(script: string, replicas = 1, env: Record<string, string> = {}) {
  const context = {
    bootstrap: 'here:9092',
    history: new History(),
    partitions: new Map(),
    logs,
    random: () => new Prng(1),
    died: (r: string) => died.push(r),
  }
  app = startApp({ kind: 'app', command: `node -e "${script}"`, replicas, env }, context)
  return app
}

const said = (copy: number) => readFileSync(join(logs, `app-${copy}.log`), 'utf8')
const lines = (copy: number) => said(copy).split('\n').length - 1
const COUNTS = 'setInterval(() => console.log(1), 5)'

describe('a program', () => {
  it('is told where the cluster is, and which copy it is', async () => {
    start('console.log(process.env.BOOTSTRAP_SERVERS, process.env.APP_INSTANCE, process.env.MORE)', 2, { MORE: 'x' })
    await expect.poll(() => [said(1), said(2)]).toEqual(['here:9092 1 x\n', 'here:9092 2 x\n'])
    expect(died).toEqual([])
  })

  it('that ends by itself with an error is reported with its last words', async () => {
    start("console.error('no such topic'); process.exit(7)")
    await expect.poll(() => died).toEqual(['app:1 ended with 7: no such topic'])
    expect(app!.copies[0]!.end).toMatchObject({ name: 'app:1', code: 7, words: 'no such topic' })
  })

  it('that ends by itself without one has ended well', async () => {
    const [copy] = start("console.log('done')").copies
    expect(copy!.end).toMatchObject({ code: null, endedAt: null })
    await expect.poll(() => copy!.end).toMatchObject({ code: 0, endedAt: expect.any(Number), words: 'done' })
    expect(died).toEqual([])
  })

  it('is killed, and healed; nobody calls that dying', async () => {
    const [copy] = start(COUNTS).copies
    await expect.poll(() => lines(1)).toBeGreaterThan(3)
    await copy!.act('kill')
    const before = lines(1)
    await copy!.heal()
    await expect.poll(() => lines(1)).toBeGreaterThan(before + 3)
    expect(died).toEqual([])
    await copy!.act('kill')
    await expect(copy!.act('pause')).rejects.toThrow('app:1 does not run')
  })

  it('is stopped in its tracks, and goes on', async () => {
    const [copy] = start(COUNTS).copies
    await expect.poll(() => lines(1)).toBeGreaterThan(3)
    await copy!.act('pause')
    const paused = lines(1)
    await copy!.heal()
    await expect.poll(() => lines(1)).toBeGreaterThan(paused + 3)
  })

  it('that floods is kept up to a limit', async () => {
    start(
      "const line = 'x'.repeat(65536); const write = () => { while (process.stdout.write(line)); process.stdout.once('drain', write) }; write()",
    )
    await expect.poll(() => said(1).includes('the rest is left out'), { timeout: 20_000 }).toBe(true)
    const size = statSync(join(logs, 'app-1.log')).size
    await app!.stop()
    expect(size).toBeLessThan(11 * 1024 * 1024)
    expect(statSync(join(logs, 'app-1.log')).size).toBe(size)
  })
})

describe('an experiment with a program', () => {
  const text = `name: e
about: an example
topics: [{ name: t }]
workload: [{ kind: producer, topic: t }, { kind: group, topic: t }]
timeline: [{ at: 0s, kill: "app:2" }]
expect: { lost: 0 }`

  it('has it in the place of what reads', () => {
    const experiment = readExperiment('e.yaml', text, { app: { command: 'my app', replicas: 3 } })
    expect(experiment.workload.map((w) => w.kind)).toEqual(['producer', 'app'])
  })

  it('is refused when a step is about a copy that there is not', () => {
    expect(() => readExperiment('e.yaml', text)).toThrow('e.yaml:5:28: a step is about app:2, which there is not')
    expect(() => readExperiment('e.yaml', text, { app: { command: 'my app', replicas: 1 } })).toThrow('app:2')
  })
})
