// What a Produce costs a broker, each time in a process of its own: node produce-cost.mjs BUNDLE [record] prints it, in microseconds of CPU.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const THIS = fileURLToPath(import.meta.url)
const DIST = join(import.meta.dirname, '../dist')
const WARM_UP = 20_000
const REQUESTS = 80_000

/** A broker for `costOf`. */
export async function bundle(name, plugins = []) {
  const outfile = join(DIST, `bench-${name}.cjs`)
  const external = ['classic-level', '@node-rs/crc32']
  const options = { bundle: true, platform: 'node', format: 'cjs', external, logLevel: 'error' }
  await build({ ...options, entryPoints: [join(import.meta.dirname, 'produce.ts')], outfile, plugins })
  return outfile
}

export function costOf(...broker) {
  const { stdout, stderr, status } = spawnSync(process.execPath, [THIS, ...broker], { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  return Number(stdout)
}

async function main(file, kind) {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'))
  const cost = await createRequire(THIS)(file).startBroker(kind, folder)
  cost(WARM_UP)
  process.stdout.write(String(cost(REQUESTS)))
  rmSync(folder, { recursive: true })
}

if (process.argv[1] === THIS) await main(...process.argv.slice(2))
