// The command line of the simulator; bundled and started by scripts/sim-raft.mjs.
import { parseArgs } from 'node:util'
import { NOTHING_PLANTED, PLANTED, type Planted } from './planted.ts'
import { type Outcome, runSeed } from './run.ts'

const USAGE = `node scripts/sim-raft.mjs [--seeds COUNT] [--from SEED] [--planted NAME]   many seeds, ends at the first violation
node scripts/sim-raft.mjs --seed SEED [--planted NAME]                     one seed, with what happened before a violation
planted mistakes: ${Object.keys(PLANTED).join(', ')}`
const TRAIL = 60

function chosen(): { seeds: number; from: number; seed: number | undefined; name: string | undefined; planted: Planted } {
  const text = { type: 'string' } as const
  const { values } = parseArgs({ options: { seeds: text, from: text, seed: text, planted: text } })
  const number = (value: string | undefined): number | undefined => {
    if (value === undefined) return undefined
    if (!/^\d+$/.test(value)) throw new Error(`"${value}" is not a number`)
    return Number(value)
  }
  const name = values.planted
  const planted = name === undefined ? NOTHING_PLANTED : PLANTED[name]
  if (!planted) throw new Error(`no planted mistake is called "${name}"`)
  return { seeds: number(values.seeds) ?? 1000, from: number(values.from) ?? 1, seed: number(values.seed), name, planted }
}

async function main(): Promise<number> {
  const { seeds, from, seed, name, planted } = chosen()
  if (seed !== undefined) return replay(seed, planted)
  const total = { events: 0, committed: 0, reads: 0, elections: 0, installs: 0 }
  const began = performance.now()
  for (let each = from; each < from + seeds; each++) {
    const outcome = await runSeed(each, planted)
    for (const key of Object.keys(total) as (keyof typeof total)[]) total[key] += outcome[key]
    if (outcome.violation) return failed(outcome, name)
  }
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  const { events, committed, reads, elections, installs } = total
  console.log(
    `${seeds} seeds in ${seconds} s, no violation: ${events} events checked, ${elections} elections, ${committed} entries`,
  )
  console.log(`committed, ${reads} reads served, ${installs} snapshots restored`)
  return 0
}

function failed({ seed, violation }: Outcome, name: string | undefined): number {
  console.log(`seed ${seed} violates ${violation!.message}`)
  console.log(`replay: node scripts/sim-raft.mjs --seed ${seed}${name === undefined ? '' : ` --planted ${name}`}`)
  return 1
}

async function replay(seed: number, planted: Planted): Promise<number> {
  const trail: string[] = []
  const { violation, digest, events, committed } = await runSeed(seed, planted, trail)
  for (const line of trail.slice(-TRAIL)) console.log(line)
  console.log(`seed ${seed}: ${events} events, ${committed} entries committed, digest ${digest.toString(16)}`)
  console.log(violation ? `violates ${violation.message}` : 'no violation')
  return violation ? 1 : 0
}

main().then(
  (code) => {
    process.exitCode = code
  },
  (error: Error) => {
    console.error(`${error.message}\n${USAGE}`)
    process.exitCode = 2
  },
)
