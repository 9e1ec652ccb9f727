// Experiments as a person runs them: from the command line, on real processes, with an exit code that means something.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isAlive } from '@faultline/director'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const CLI = join(import.meta.dirname, '../../bin/faultline.mjs')
/** Fails where its limit is small. */
const SMALL = `name: small
about: One broker is killed and comes back.
verdict: fail
parameters: { limit: 20s }
cluster: { brokers: 1, controllers: 1 }
topics: [{ name: orders, partitions: 1, replicas: 1 }]
workload: [{ kind: producer, topic: orders }]
steady: 1s
timeline:
  - { at: 0s, id: kill, fault: { family: process, kind: kill, node: "broker:1" } }
  - { at: 1s, heal: kill }
recover: 2s
expect: { lost: 0, unavailability: "\${limit}" }
`
let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'chaos-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function chaos(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [CLI, 'chaos', ...args], { cwd: folder })
    let [out, err] = ['', '']
    child.stdout.on('data', (text) => (out += text))
    child.stderr.on('data', (text) => (err += text))
    child.on('close', (code) => resolve({ code, out, err }))
  })
}

describe('faultline chaos', () => {
  it('lists the catalogue by theme, and says what fails on purpose', async () => {
    const { code, out } = await chaos('list')
    expect(code).toBe(0)
    expect(out).toMatch(/^Brokers that stop\n(  .*\n)*  leader-kill +The leader of a partition is killed under load/m)
    expect(out).toMatch(/^Disks\n(  .*\n)*  power-loss-all +fails +All machines lose their power in one moment/m)
  })

  it('lists for machines', async () => {
    const all = JSON.parse((await chaos('list', '-o', 'json')).out) as { name: string; verdict: string; theme: string }[]
    expect(all).toContainEqual(expect.objectContaining({ name: 'leader-kill', verdict: 'pass', theme: 'brokers' }))
    expect(all).toContainEqual(expect.objectContaining({ name: 'unclean-election-loses', verdict: 'fail' }))
  })

  it('begins a file that says where its schema is', async () => {
    expect((await chaos('new', 'mine.yaml')).code).toBe(0)
    const [, schema] = /^# yaml-language-server: \$schema=(.+)\n/.exec(readFileSync(join(folder, 'mine.yaml'), 'utf8')) ?? []
    expect(readFileSync(join(folder, schema!), 'utf8')).toBe((await chaos('schema')).out)
  })

  it('says what is wrong with a file before anything is started', async () => {
    const { code, err } = await chaos('run', 'nowhere.yaml')
    expect([code, err]).toEqual([3, expect.stringMatching(/there is no file nowhere\.yaml.*\n.*chaos list/)])
  })

  it('runs one, and leaves its evidence', async () => {
    const { code, out } = await chaos('run', 'leader-kill', '-o', 'json', '--seed', '42')
    const verdict = JSON.parse(out) as { outcome: string; folder: string; acknowledged: number; seed: number }
    expect([code, verdict.outcome, verdict.seed]).toEqual([0, 'pass', 42])
    const lines = (name: string) =>
      readFileSync(join(verdict.folder, name), 'utf8')
        .trimEnd()
        .split('\n')
        .map((l) => JSON.parse(l))
    expect(lines('history.jsonl').filter((o) => o.op === 'send' && o.outcome === 'ok')).toHaveLength(verdict.acknowledged)
    expect(lines('events.jsonl').some((e) => e.event === 'process.exit' && e.how === 'SIGKILL')).toBe(true)
    expect(readFileSync(join(verdict.folder, 'junit.xml'), 'utf8')).toMatch(/failures="0"/)
    const pids = lines('events.jsonl').flatMap((e) => (e.event === 'process.start' ? [e.pid as number] : []))
    expect(pids.length).toBeGreaterThanOrEqual(7)
    expect(pids.filter(isAlive)).toEqual([])
  })

  it('runs each value of a parameter, tells what happens, and is as bad as the worst', async () => {
    writeFileSync(join(folder, 'small.yaml'), SMALL)
    const { code, out } = await chaos('run', 'small.yaml', '--matrix', 'limit=20s,1ms')
    expect(code).toBe(1)
    expect(out).toMatch(
      /^RUN 1 of 2: limit=20s$[^]*broker:1 is gone \(SIGKILL\)[^]*broker:1 starts again[^]*^VERDICT: PASS, and it should have failed$/m,
    )
    expect(out).toMatch(/^RUN 2 of 2: limit=1ms$[^]*^VERDICT: FAIL, as it should/m)
    expect(out).toMatch(/^limit=20s +pass [^]*^limit=1ms +fail .*unavailability[^]*\n\nworst: FAIL\n$/m)
  })

  it('refuses a series with a run that cannot be, before anything is started', async () => {
    writeFileSync(join(folder, 'small.yaml'), SMALL)
    const { code, out, err } = await chaos('run', 'small.yaml', '--matrix', 'limit=20s,soon')
    expect([code, out, err]).toEqual([3, '', expect.stringMatching(/"soon" is no time/)])
  })

  it('runs transactions of all kinds, and finds nothing but what is legal', { timeout: 120_000 }, async () => {
    const { code, out } = await chaos('run', 'transactions-leader-kill', '-o', 'json')
    const verdict = JSON.parse(out) as {
      reasons: string[]
      expectations: { status: string; examples: string[] }[]
      folder: string
    }
    const examples = verdict.expectations.filter((e) => e.status !== 'met').flatMap((e) => e.examples)
    expect([code, verdict.reasons, examples]).toEqual([0, [], []])
    const history = readFileSync(join(verdict.folder, 'history.jsonl'), 'utf8')
    for (const op of ['send', 'transaction', 'hold', 'read', 'commit']) expect(history).toContain(`{"op":"${op}"`)
  })

  it('finds what an unclean election has cost, and says why it may', async () => {
    const { code, out } = await chaos('run', 'unclean-election-loses')
    expect([code, out]).toEqual([1, expect.stringMatching(/lost +broken .*legal here: unclean\.leader\.election\.enable=true/)])
  })

  it('waits for a program that judges itself', async () => {
    const text = readFileSync(join(import.meta.dirname, '../../chaos/leader-kill.yaml'), 'utf8')
    writeFileSync(join(folder, 'ends.yaml'), text.slice(0, text.indexOf('expect:')) + 'expect: { finishes: 20s }\n')
    const { code, out } = await chaos('run', 'ends.yaml', '--app', 'sleep 25; echo all wrong; exit 4')
    expect([code, out]).toEqual([1, expect.stringMatching(/finishes +broken[^]*app:1 ended with 4: all wrong/)])
  })

  it('says what a program of the load said that cannot go on', async () => {
    const { code, err } = await chaos('run', 'leader-kill', '--app', 'echo no such broker; exit 7')
    expect([code, err]).toEqual([3, expect.stringMatching(/LOAD_FAILED: app:1 ended with 7: no such broker\n.*logs/)])
  })

  it('proves nothing when it is disarmed, and says so', async () => {
    const { code, out } = await chaos('run', 'leader-kill', '--disarmed')
    expect([code, out]).toEqual([2, expect.stringMatching(/INCONCLUSIVE[^]*never hit/)])
  })
})
