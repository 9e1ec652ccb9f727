// Runs the seeded simulation of Raft: bundles packages/raft/test/sim/cli.ts in memory and starts it with the given arguments.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { buildSync } from 'esbuild'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')
const folder = mkdtempSync(join(tmpdir(), 'sim-raft-'))
process.on('exit', () => rmSync(folder, { recursive: true }))

const outfile = join(folder, 'sim.mjs')
const entryPoints = [join(ROOT, 'packages/raft/test/sim/cli.ts')]
buildSync({ entryPoints, outfile, bundle: true, platform: 'node', format: 'esm', target: 'node20' })
await import(pathToFileURL(outfile).href)
