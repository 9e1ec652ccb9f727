// npm run bench:lab: how long checkers take for a million operations, and how much memory; npm run bench:report: how large the report of such a run is,
// and how long a browser takes to open it. bench/lab.ts and bench/report.ts say what is in it.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { build } from 'esbuild'

const ROOT = join(import.meta.dirname, '..')
const NAME = process.argv[2] ?? 'lab'
const OUT = join(ROOT, `dist/bench-${NAME}.mjs`)

await build({
  entryPoints: [join(ROOT, `bench/${NAME}.ts`)],
  outfile: OUT,
  bundle: true,
  platform: 'node',
  format: 'esm',
  external: ['classic-level', '@node-rs/crc32', 'snappy', 'lz4-napi', '@bokuweb/zstd-wasm'],
  // Some dependencies still ask for others by require.
  banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)" },
  logLevel: 'error',
})
const { status } = spawnSync(process.execPath, [OUT], { stdio: 'inherit' })
process.exit(status ?? 1)
