// The entry of `faultline sim`: runs seeds and prints, for one that fails, the command that replays it. Exit code 1 when any failed.
import { type FailoverResult, runFailover } from './failover.ts'

const [first, count] = process.argv.slice(2).map(Number) as [number, number]

async function outcome(seed: number): Promise<FailoverResult | Error> {
  try {
    return await runFailover(seed)
  } catch (error) {
    return error as Error
  }
}

async function run(): Promise<void> {
  let failed = 0
  let virtualMs = 0
  const began = performance.now()
  for (let seed = first; seed < first + count; seed++) {
    const result = await outcome(seed)
    const problems = result instanceof Error ? [result.message] : result.problems
    if (!(result instanceof Error)) virtualMs += result.virtualMs
    if (problems.length > 0) {
      failed++
      process.stdout.write(
        `seed ${seed} FAILED\n${problems
          .slice(0, 5)
          .map((p) => `  ${p}\n`)
          .join('')}  replay: npx faultline sim --seed ${seed}\n`,
      )
    } else if (count === 1) {
      const { digest, acknowledged, crashed, truncations } = result as FailoverResult
      process.stdout.write(
        `seed ${seed}: broker ${crashed} crashed, ${acknowledged} acknowledged, ${truncations} truncations, digest ${digest}\n`,
      )
    }
  }
  const speed = virtualMs / (performance.now() - began)
  process.stdout.write(`${count - failed} of ${count} seeds passed, ${speed.toFixed(1)} times faster than life\n`)
  process.exitCode = failed > 0 ? 1 : 0
}

void run()
