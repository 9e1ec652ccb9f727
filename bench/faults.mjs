// npm run bench:faults: what faults cost while none is armed, and the record at the edge while nobody wants it. The same requests go through a broker's
// Produce handler, compiled as it is and compiled without a trace of faults, in 30 interleaved pairs.
import { readFileSync } from 'node:fs'
import { bundle, costOf } from './produce-cost.mjs'

const PAIRS = 30

/** The sources without faults, and without the record at the edge: no look at what is armed, and the ports behind. */
const WITHOUT = [
  [/this\.#broker\.faults\.of\('protocol'\)\.length > 0/g, 'false'],
  [/(?:\w+\.)*faults\.(points|conditions)Armed/g, 'false'],
  [/new FaultyDisk\((machine\.disk)[^\n]*\),/g, '$1,'],
  [/this\.#lateWrites\.add\(end, this\.log\.lateMs, /g, ';((run: () => void) => run())('],
  [/lateWrites\(waiting\)\n/g, 'undefined as Promise<void>[] | undefined\n'],
  [/this\.#broker\.edge\?\.begin\([^\n]*\)/g, 'undefined'],
  [/(context\.)?edge\?\.\w+\([^\n]*\)/g, 'undefined'],
  [/new FaultyClock\(clock, faults\)/g, 'Object.assign(clock, { adapt() {} })'],
]

const stripped = {
  name: 'stripped',
  setup({ onLoad }) {
    onLoad({ filter: /packages\/.*\.ts$/ }, ({ path }) => ({
      contents: WITHOUT.reduce((text, [from, to]) => text.replace(from, to), readFileSync(path, 'utf8')),
      loader: 'ts',
    }))
  },
}

const [as, without] = [await bundle('faults'), await bundle('no-faults', [stripped])]
const ratios = []
for (let i = 0; i < PAIRS; i++) {
  // Who goes first takes turns.
  const [a, b] = i % 2 === 0 ? [costOf(as), costOf(without)] : [costOf(without), costOf(as)].reverse()
  ratios.push(a / b - 1)
}
ratios.sort((x, y) => x - y)
const mean = ratios.reduce((sum, r) => sum + r, 0) / PAIRS
const deviation = Math.sqrt(ratios.reduce((sum, r) => sum + (r - mean) ** 2, 0) / (PAIRS - 1))
const percent = (r) => `${(r * 100).toFixed(2)} %`
const bound = mean + (2.045 * deviation) / Math.sqrt(PAIRS)
console.log(`disarmed faults cost ${percent(mean)} (median ${percent(ratios[PAIRS >> 1])}), upper 95 % bound ${percent(bound)}`)
