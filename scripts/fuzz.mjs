// Runs the fuzzer: bundles test/fuzz/cli.ts and starts it with the given arguments. The bundle lies in dist, from where its native
// packages are found.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { buildSync } from 'esbuild'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')
mkdirSync(join(ROOT, 'dist'), { recursive: true })
const folder = mkdtempSync(join(ROOT, 'dist/fuzz-'))
process.on('exit', () => rmSync(folder, { recursive: true }))

const outfile = join(folder, 'fuzz.mjs')
const entryPoints = [join(ROOT, 'test/fuzz/cli.ts')]
const external = ['@node-rs/crc32']
buildSync({
  entryPoints,
  outfile,
  external,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  sourcemap: 'inline',
})
process.setSourceMapsEnabled(true)
await import(pathToFileURL(outfile).href)
