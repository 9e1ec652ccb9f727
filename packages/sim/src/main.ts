// The entry of `faultline sim`: runs seeds of a scenario and prints, for one that fails, the command that replays it. Exit code 1 when any
// failed.
import { runExactlyOnce } from './exactly-once.ts'
import { runFailover } from './failover.ts'

interface Outcome {
  readonly digest: string
  readonly virtualMs: number
  readonly problems: readonly string[]
}

const SCENARIOS: Readonly<Record<string, (seed: number) => Promise<Outcome>>> = {
  failover: runFailover,
  'exactly-once': runExactlyOnce,
}

const [name, first, count] = [process.argv[2]!, Number(process.argv[3]), Number(process.argv[4])]
const scenario = SCENARIOS[name]!

async function outcome(seed: number): Promise<Outcome> {
  try {
    return await scenario(seed)
  } catch (error) {
    return { digest: '', virtualMs: 0, problems: [(error as Error).message] }
  }
}

function tell(seed: number, { problems, ...facts }: Outcome): void {
  const said = (text: string) => process.stdout.write(text)
  if (problems.length === 0) {
    if (count === 1)
      said(
        `seed ${seed}: ${Object.entries(facts)
          .map((fact) => fact.join(' '))
          .join(', ')}\n`,
      )
    return
  }
  const shown = problems.slice(0, 5).map((p) => `  ${p}\n`)
  said(`seed ${seed} FAILED\n${shown.join('')}  replay: npx faultline sim --scenario ${name} --seed ${seed}\n`)
}

async function run(): Promise<void> {
  let failed = 0
  let virtualMs = 0
  const began = performance.now()
  for (let seed = first; seed < first + count; seed++) {
    const result = await outcome(seed)
    virtualMs += result.virtualMs
    if (result.problems.length > 0) failed++
    tell(seed, result)
  }
  const speed = virtualMs / (performance.now() - began)
  process.stdout.write(`${count - failed} of ${count} seeds passed, ${speed.toFixed(1)} times faster than life\n`)
  process.exitCode = failed > 0 ? 1 : 0
}

void run()
