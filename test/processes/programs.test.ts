// Programs of somebody's own under experiments, as a person runs them: one that is wrong is found, and its well-behaved twin passes where it failed.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const CLI = join(import.meta.dirname, '../../bin/faultline.mjs')
const RUN_MS = 120_000

interface Verdict {
  readonly outcome: string
  readonly reasons: readonly string[]
  readonly expectations: readonly { expectation: string; status: string; found: string; examples: readonly string[] }[]
  readonly folder: string
}

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'programs-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function chaos(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [CLI, 'chaos', 'run', ...args], { cwd: folder })
    let [out, err] = ['', '']
    child.stdout.on('data', (text) => (out += text))
    child.stderr.on('data', (text) => (err += text))
    child.on('close', (code) => resolve({ code, out, err }))
  })
}

async function verdictOf(experiment: string): Promise<Verdict> {
  return JSON.parse((await chaos(experiment, '-o', 'json')).out) as Verdict
}

const found = ({ expectations }: Verdict, expectation: string) => expectations.find((e) => e.expectation === expectation)!

describe('a program', { timeout: RUN_MS }, () => {
  it('that commits before it does the work has lost some of it when it is killed', async () => {
    const verdict = await verdictOf('app-commits-first')
    expect(verdict.outcome).toBe('fail')
    const { status, examples, found: words } = found(verdict, 'atLeastOnce')
    expect([status, words]).toEqual(['broken', expect.stringMatching(/: \d+ lost$/)])
    expect(examples[0]).toMatch(/ is 0 times in out: app(:\d)? worker-\d-\S+ committed in-\d@\d+ as done at /)
    expect(found(verdict, 'lost')).toMatchObject({ status: 'met' })
  })

  it('that does the work first has lost nothing under the same', async () => {
    const verdict = await verdictOf('app-commits-last')
    expect([verdict.outcome, verdict.reasons]).toEqual(['pass', []])
    const edge = readFileSync(join(verdict.folder, 'edge.jsonl'), 'utf8').trimEnd().split('\n')
    const who = new Set(edge.map((line) => (JSON.parse(line) as { who: string }).who))
    expect(who).toContain('lab')
    expect([...who].some((w) => w.startsWith('app'))).toBe(true)
    const history = readFileSync(join(verdict.folder, 'history.jsonl'), 'utf8')
    for (const sign of ['"process":"app', '"op":"given"', '"op":"hold"', '"op":"commit"']) expect(history).toContain(sign)
  })

  it('that is not idempotent has written results twice', async () => {
    const verdict = await verdictOf('app-writes-twice')
    expect(verdict.outcome).toBe('fail')
    const { found: words, examples } = found(verdict, 'exactlyOnce')
    expect(words).toMatch(/: \d+ more than once$/)
    expect(examples[0]).toMatch(/ is \d times in out: written by app.* at .*, written by app/)
  })

  it('that writes in transactions has written each once under the same', async () => {
    const verdict = await verdictOf('app-in-transactions')
    expect([verdict.outcome, verdict.reasons]).toEqual(['pass', []])
  })

  it('whose producer is not idempotent has written twice what it heard nothing of', async () => {
    const verdict = await verdictOf('app-reply-lost-without-idempotence')
    expect(verdict.outcome).toBe('fail')
    expect(found(verdict, 'duplicated').found).toMatch(/\(legal here: the producer is not idempotent/)
    expect(found(verdict, 'exactlyOnce').found).toMatch(/: \d+ more than once$/)
  })

  it('whose producer is idempotent has written it once under the same', async () => {
    const verdict = await verdictOf('app-reply-lost')
    expect([verdict.outcome, verdict.reasons]).toEqual(['pass', []])
  })

  it('that reads nothing and writes nothing has put nothing to the test', async () => {
    // It joins a group of a topic that nobody writes to.
    const script = `const { Kafka } = require(${JSON.stringify(createRequire(import.meta.url).resolve('kafkajs'))})
      const kafka = new Kafka({ brokers: process.env.BOOTSTRAP_SERVERS.split(','), logLevel: 0 })
      const consumer = kafka.consumer({ groupId: 'idle' })
      const made = kafka.admin().createTopics({ waitForLeaders: true, topics: [{ topic: 'nothing' }] })
      made.then(() => consumer.connect()).then(() => consumer.subscribe({ topic: 'nothing' })).then(() => consumer.run({ eachMessage: async () => {} }))`
    const { code, out } = await chaos('leader-terminate', '--app', `node -e '${script.replaceAll("'", `'"'"'`)}'`)
    expect([code, out]).toEqual([2, expect.stringMatching(/the program has read nothing and written nothing: .*JoinGroup/)])
  })
})

describe('a program that cannot be', () => {
  it.each<[string, string[], RegExp]>([
    ['a command that is none', ['--app', 'no-such-program --fast'], /there is no program no-such-program, with which/],
    ['a file that is none', ['--app', 'A=1 ./no-such-file.py'], /there is no program \.\/no-such-file\.py/],
    ['no command', ['--app', ' '], /--app is empty/],
    ['no copies', ['--app', 'node x', '--app-replicas', '0'], /--app-replicas 0 is not between 1 and 20/],
    ['too many copies', ['--app', 'node x', '--app-replicas', '21'], /--app-replicas 21 is not between 1 and 20/],
    ['copies of nothing', ['--app-replicas', '2'], /--app-replicas without --app/],
  ])('is refused before anything is started: %s', async (_, args, words) => {
    const { code, out, err } = await chaos('leader-kill', ...args)
    expect([code, out, err]).toEqual([3, '', expect.stringMatching(words)])
  })

  it('is told at once when it ends before anything was broken, be it without an error', { timeout: RUN_MS }, async () => {
    const { code, err } = await chaos('leader-kill', '--app', 'true')
    expect([code, err]).toEqual([3, expect.stringMatching(/LOAD_FAILED: the program ended by itself before anything was broken/)])
  })

  it('is told when it never asks for anything', { timeout: RUN_MS }, async () => {
    const { code, err } = await chaos('leader-kill', '--app', 'sleep 1000')
    expect([code, err]).toEqual([3, expect.stringMatching(/LOAD_FAILED: the program runs, and has asked no broker for anything/)])
  })
})
