// npm run bench:chaos: how long `chaos run leader-kill` takes beyond what its file asks for (3 s steady, 5 s of timeline, 5 s of recovery), and where that goes:
// until the load flows, reading everything at the end, and the rest (Node's start, logs kept, nodes stopped, judged, written). Exits with 1 over 5 s.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const CLI = join(import.meta.dirname, '../bin/faultline.mjs')
const RUNS = 3
const [STEADY, TIMELINE, RECOVER] = [3, 5, 5]
const LIMIT_S = 5

const folder = mkdtempSync(join(tmpdir(), 'bench-chaos-'))
const overheads = []
try {
  for (let i = 0; i < RUNS; i++) {
    const began = performance.now()
    const { stdout } = spawnSync(process.execPath, [CLI, 'chaos', 'run', 'leader-kill'], { cwd: folder, encoding: 'utf8' })
    const total = (performance.now() - began) / 1000
    const at = (words) => Number(new RegExp(`^ *([\\d.]+)s  ${words}`, 'm').exec(stdout)?.[1])
    const [steady, healed, read] = [at('steady'), at('everything is healed'), at('read ')]
    const start = steady - STEADY
    const end = read - healed - RECOVER
    const all = total - STEADY - TIMELINE - RECOVER
    overheads.push(all)
    const parts = `until the load flows ${start.toFixed(1)} s, reading at the end ${end.toFixed(1)} s, the rest ${(total - read).toFixed(1)} s`
    console.log(`${total.toFixed(1)} s, of which ${all.toFixed(1)} s are its own: ${parts}`)
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
const median = overheads.sort((a, b) => a - b)[Math.floor(RUNS / 2)]
console.log(`median: ${median.toFixed(1)} s of its own, ${LIMIT_S} s are allowed`)
process.exit(median <= LIMIT_S ? 0 : 1)
