// An application of ordinary Python programs as it stands, under experiments: orders are produced, read in a group, processed in transactions. It knows
// nothing of us; it judges itself by its exit code, and the brokers' record judges it as well. ORDERS_PROGRAMS is the folder where it is.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { need } from './need.ts'

const CLI = join(import.meta.dirname, '../../bin/faultline.mjs')
const PROGRAMS = process.env['ORDERS_PROGRAMS'] ?? ''
const PYTHON = process.env['CLIENTS_PYTHON'] ?? 'python3'

const ORDERS = 'name: orders, partitions: 12, config: { min.insync.replicas: 2 }'
const KILL_LEADER = `
  - { at: 0s, id: kill, fault: { family: process, kind: kill, node: "leader:orders-0" } }
  - { at: 5s, heal: kill }`

interface Case {
  /** A shell's words, with PYTHON for the interpreter. */
  readonly command: string
  readonly orders?: string
  readonly timeline: string
  readonly expect: string
  readonly outcome: 'pass' | 'fail'
  readonly found?: readonly [expectation: string, words: RegExp]
}

const CASES: Readonly<Record<string, Case>> = {
  'an idempotent producer goes on over the death of a leader, and all is there once': {
    command: 'PYTHON produce.py --count 5000 --rate 400',
    timeline: KILL_LEADER,
    expect: '{ lost: 0, duplicated: 0, nonmonotonicSend: 0, finishes: 90s }',
    outcome: 'pass',
    found: ['lost', /^0 of \d+$/],
  },
  'what it was acknowledged is gone after an unclean election, and the brokers know it': {
    command: 'PYTHON produce.py --count 8000 --rate 400',
    orders: 'name: orders, partitions: 12, config: { min.insync.replicas: 1, unclean.leader.election.enable: true }',
    timeline: `
  - { at: 0s, id: b2, fault: { family: process, kind: kill, node: "broker:2" } }
  - { at: 0s, id: b3, fault: { family: process, kind: kill, node: "broker:3" } }
  - { at: 6s, kill: "broker:1" }
  - { at: 7s, heal: b2 }
  - { at: 7s, heal: b3 }
  - { at: 13s, restart: "broker:1" }`,
    expect: '{ lost: 0 }',
    outcome: 'fail',
    found: ['lost', /legal here: unclean\.leader\.election\.enable=true/],
  },
  'a group reads each order once, and commits nothing that it was not given': {
    command: 'PYTHON produce.py --count 5000 --rate 400 & PYTHON consume.py --count 5000; a=$?; wait $! && exit $a',
    timeline: KILL_LEADER,
    expect: '{ lost: 0, unreadCommit: 0, twoOwners: 0, fencedCommit: 0, commitBack: 0, unseen: 0, lag: 0, finishes: 90s }',
    outcome: 'pass',
    found: ['unreadCommit', /^0 of [1-9]/],
  },
  'members come and go while the quorum loses its leader, and no partition has two owners': {
    command: 'PYTHON group.py',
    timeline: `
  - { at: 0s, id: kill, fault: { family: process, kind: kill, node: "controller:active" } }
  - { at: 4s, heal: kill }`,
    expect: '{ lost: 0, twoOwners: 0, fencedCommit: 0, finishes: 150s }',
    outcome: 'pass',
    found: ['twoOwners', /^0 of [1-9]/],
  },
  'a static member comes back while the quorum loses its leader, and disturbs nobody': {
    command: 'PYTHON static_member.py',
    timeline: `
  - { at: 0s, id: kill, fault: { family: process, kind: kill, node: "controller:active" } }
  - { at: 4s, heal: kill }`,
    expect: '{ lost: 0, twoOwners: 0, finishes: 90s }',
    outcome: 'pass',
    found: ['twoOwners', /^0 of [1-9]/],
  },
  'a processor that is killed itself loses a broker as well, and each order is in the result once': {
    command: 'PYTHON transact.py --count 2000 --crash 2',
    timeline: `
  - { at: 0s, id: kill, fault: { family: process, kind: kill, node: "broker:1" } }
  - { at: 5s, heal: kill }`,
    expect: '{ lost: 0, unreadCommit: 0, finishes: 180s }',
    outcome: 'pass',
    found: ['unreadCommit', /^0 of [1-9]/],
  },
  'an exporter of lag looks on while a broker is roughly restarted': {
    command: 'PYTHON lag.py --group readers --topic other --seconds 14 --port PORT',
    timeline: `
  - { at: 0s, id: kill, fault: { family: process, kind: kill, node: "controller:active" } }
  - { at: 4s, heal: kill }`,
    expect: '{ lost: 0, finishes: 90s }',
    outcome: 'pass',
  },
}

let folder: string
let missing: string | undefined
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'orders-'))
  if (!existsSync(join(PROGRAMS, 'consume.py'))) missing = 'ORDERS_PROGRAMS names no folder with the programs'
  await need('a package', PYTHON, ['-c', 'import confluent_kafka, kafka, prometheus_client']).catch(
    (error: Error) => (missing ??= error.message),
  )
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function experimentOf({ command, orders = ORDERS, timeline, expect: expected }: Case): Promise<string> {
  const program = command.replaceAll(/PYTHON (\S+)/g, `"${PYTHON}" "${PROGRAMS}/$1"`).replace('PORT', String(await freePort()))
  const text = `name: orders
about: An application as it stands.
topics:
  - { name: other, partitions: 3, config: { min.insync.replicas: 1, unclean.leader.election.enable: ${orders.includes('unclean')} } }
  - { ${orders} }
workload:
  - { kind: producer, topic: other, rate: 200 }
  - { kind: group, topic: other }
  - { kind: app, command: ${JSON.stringify(program)} }
timeline:${timeline}
expect: ${expected}
`
  const file = join(folder, 'orders.yaml')
  writeFileSync(file, text)
  return file
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}

function run(file: string): Promise<{ out: string; err: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [CLI, 'chaos', 'run', file, '-o', 'json'], { cwd: folder })
    let [out, err] = ['', '']
    child.stdout.on('data', (text) => (out += text))
    child.stderr.on('data', (text) => (err += text))
    child.on('close', () => resolve({ out, err }))
  })
}

describe('the orders application', { timeout: 300_000 }, () => {
  it.for(Object.entries(CASES))('%s', async ([, one], { skip }) => {
    if (missing !== undefined) skip(missing)
    const { out, err } = await run(await experimentOf(one))
    const verdict = JSON.parse(out || '{}') as {
      outcome: string
      reasons: string[]
      folder: string
      expectations: { expectation: string; found: string; examples: string[] }[]
    }
    const examples = verdict.expectations?.flatMap((e) => e.examples)
    const log = verdict.folder ? readFileSync(join(verdict.folder, 'logs/app-1.log'), 'utf8').slice(-1000) : err
    expect(verdict.outcome, `${JSON.stringify([verdict.reasons, examples], null, 1)}\n${log}`).toBe(one.outcome)
    if (!one.found) return
    const [expectation, words] = one.found
    expect(verdict.expectations.find((e) => e.expectation === expectation)?.found).toMatch(words)
  })
})
