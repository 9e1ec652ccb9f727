// npm run bench:lab: how long checkers take for a million operations, and how much memory. A history of sends in and out of transactions, of reads by
// consumers, and of everything read at the end, of a cluster that made no mistake; bench/lab.ts says what is in it.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { build } from 'esbuild'

const ROOT = join(import.meta.dirname, '..')
const OUT = join(ROOT, 'dist/bench-lab.cjs')

await build({
  entryPoints: [join(ROOT, 'bench/lab.ts')],
  outfile: OUT,
  bundle: true,
  platform: 'node',
  format: 'cjs',
  external: ['classic-level', '@node-rs/crc32', 'snappy', 'lz4-napi', '@bokuweb/zstd-wasm'],
  define: { 'import.meta.dirname': '__dirname' },
  logLevel: 'error',
})
const { status } = spawnSync(process.execPath, [OUT], { stdio: 'inherit' })
process.exit(status ?? 1)
