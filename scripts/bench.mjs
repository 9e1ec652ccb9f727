// npm run bench: times the parts of a node, without a peer. bench/parts.ts says what is measured.
import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')
const OUT = join(ROOT, 'dist/bench.cjs')

await build({
  entryPoints: [join(ROOT, 'bench/parts.ts')],
  outfile: OUT,
  bundle: true,
  platform: 'node',
  format: 'cjs',
  external: ['classic-level', '@node-rs/crc32'],
  logLevel: 'error',
})
const { status } = spawnSync(process.execPath, ['--max-semi-space-size=1', '--min-semi-space-size=1', OUT], { stdio: 'inherit' })
process.exit(status ?? 1)
