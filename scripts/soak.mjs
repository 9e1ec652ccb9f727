// npm run soak [-- --rounds 1000] [--seed N]: so many faults at random, under load, on real processes. The seed is printed: it chooses the same
// faults again, though not their moments.
import { spawnSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '1000' }, seed: { type: 'string' } } })
const seed = values.seed ?? String(randomInt(1_000_000))
const root = join(import.meta.dirname, '..')
console.log(
  `${values.rounds} faults at random, seed ${seed}: again with npm run soak -- --rounds ${values.rounds} --seed ${seed}`,
)
const { status } = spawnSync('npx', ['vitest', 'run', 'test/processes/soak.test.ts', '--disable-console-intercept'], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, SOAK: values.rounds, SOAK_SEED: seed },
})
process.exit(status ?? 1)
