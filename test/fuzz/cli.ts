// The entry of `npm run fuzz`: episodes from a seed on until the frames are used up. Exit code 1, and the command that replays it, at the
// first failure.
import { parseArgs } from 'node:util'
import { runEpisode } from './episode.ts'

const EPISODE_FRAMES = 1000

const { values } = parseArgs({
  options: { frames: { type: 'string', default: '1000000' }, seed: { type: 'string', default: '1' } },
})

async function run(frames: number, firstSeed: number): Promise<void> {
  const began = performance.now()
  const answered = new Map<string, number>()
  let [sent, ended, seed] = [0, 0, firstSeed]
  process.on('unhandledRejection', (error) => {
    fail(seed, error as Error)
    process.exit(1)
  })
  for (; sent < frames; seed++) {
    try {
      const result = await runEpisode(seed, Math.min(EPISODE_FRAMES, frames - sent))
      sent += result.frames
      ended += result.ended
      for (const [api, count] of result.answered) answered.set(api, (answered.get(api) ?? 0) + count)
    } catch (error) {
      return fail(seed, error as Error)
    }
    if ((seed - firstSeed) % 50 === 49) report(sent, answered, ended, began)
  }
  report(sent, answered, ended, began)
}

function report(sent: number, answered: ReadonlyMap<string, number>, ended: number, began: number): void {
  const seconds = (performance.now() - began) / 1000
  const answers = [...answered.values()].reduce((a, b) => a + b, 0)
  process.stdout.write(
    `${sent} frames in ${seconds.toFixed(0)} s (${(sent / seconds).toFixed(0)}/s): ${answers} answers of ${answered.size} APIs and versions, ${ended} connections ended\n`,
  )
}

function fail(seed: number, error: Error): void {
  process.exitCode = 1
  process.stdout.write(`${error.message}\nreplay: node scripts/fuzz.mjs --frames ${EPISODE_FRAMES} --seed ${seed}\n`)
}

void run(Number(values.frames), Number(values.seed))
