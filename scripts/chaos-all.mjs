// Runs every experiment of the catalogue, one after the other, and holds each verdict against the one that the experiment says it should have.
//
//   npm run chaos:all                      all of them, some twenty minutes
//   npm run chaos:all -- leader-kill ...   these alone
import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const CLI = join(dirname(fileURLToPath(import.meta.url)), '../bin/faultline.mjs')

function chaos(...args) {
  const { stdout, stderr } = spawnSync(process.execPath, [CLI, 'chaos', ...args, '-o', 'json'], { encoding: 'utf8' })
  return { stdout, stderr }
}

const catalogue = JSON.parse(chaos('list').stdout)
const names = process.argv.slice(2)
const unknown = names.filter((name) => !catalogue.some((e) => e.name === name))
if (unknown.length > 0) {
  console.error(`there is no experiment ${unknown.join(', ')}: see npx faultline chaos list`)
  process.exit(3)
}
const chosen = names.length > 0 ? catalogue.filter((e) => names.includes(e.name)) : catalogue
const widest = Math.max(...chosen.map((e) => e.name.length))
let wrong = 0
console.log(`${'experiment'.padEnd(widest)}  expected  found         took`)
for (const { name, verdict: expected } of chosen) {
  const began = Date.now()
  const { stdout, stderr } = chaos('run', name)
  const { outcome: found, reasons, folder } = stdout ? JSON.parse(stdout) : { outcome: 'not run', reasons: [stderr.trim()] }
  const seconds = ((Date.now() - began) / 1000).toFixed(0)
  console.log(`${name.padEnd(widest)}  ${expected.padEnd(8)}  ${found.padEnd(12)}  ${seconds.padStart(3)} s`)
  if (found === expected) continue
  wrong++
  for (const line of [...reasons, folder].filter(Boolean)) console.log(`    ${line}`)
}
console.log(`${chosen.length - wrong} as expected, ${wrong} not`)
process.exitCode = wrong > 0 ? 1 : 0
