// Bundles what runs as a process into dist/, so that a node starts fast: a node, the supervisor, the command line, the simulator;
// and what tests import, as CommonJS, which every runner can load. Native add-ons stay
// where npm put them. Run by `npm ci`; where install scripts are blocked, the command line runs it on first use and when it is stale.
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')
const DIST = join(ROOT, 'dist')
const STAMP = join(DIST, 'stamp')
const ENTRIES = {
  node: 'packages/node/src/main.ts',
  supervisor: 'packages/director/src/supervisor-main.ts',
  director: 'packages/director/src/compose/director-main.ts',
  cli: 'packages/cli/src/main.ts',
  faultline: 'packages/director/src/fixture.ts',
  sim: 'packages/sim/src/main.ts',
  proxy: 'packages/proxy/src/main.ts',
}
const OPTIONS = {
  absWorkingDir: ROOT,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  minifySyntax: true,
  minifyWhitespace: true,
  external: ['classic-level', '@node-rs/crc32', 'kafkajs'],
  logLevel: 'error',
  logOverride: { 'empty-import-meta': 'silent' },
}
/** Of a node alone. */
export const NODE_OPTIONS = { ...OPTIONS, entryPoints: [ENTRIES.node] }

/** Names, sizes and times of everything that goes into the bundles. */
export function sourceStamp() {
  const hash = createHash('sha256')
  const visit = (folder) => {
    for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) visit(path)
      else {
        const { size, mtimeMs } = statSync(path)
        hash.update(`${path} ${size} ${mtimeMs}\n`)
      }
    }
  }
  for (const name of readdirSync(join(ROOT, 'packages')).sort()) visit(join(ROOT, 'packages', name, 'src'))
  hash.update(readFileSync(join(ROOT, 'package-lock.json')))
  return hash.digest('hex')
}

export function isFresh() {
  return existsSync(STAMP) && readFileSync(STAMP, 'utf8') === sourceStamp()
}

export async function bundle() {
  const { build } = await import('esbuild')
  const stamp = sourceStamp()
  mkdirSync(DIST, { recursive: true })
  rmSync(STAMP, { force: true })
  await build({ ...OPTIONS, entryPoints: ENTRIES, outdir: DIST, outExtension: { '.js': '.cjs' } })
  await bundleReportPage(build)
  // What editors check an experiment with.
  execFileSync(process.execPath, [join(DIST, 'cli.cjs'), 'chaos', 'schema', join(DIST, 'experiment.schema.json')])
  writeFileSync(STAMP, stamp)
}

/** What a report of an experiment carries inside. */
async function bundleReportPage(build) {
  const page = join(ROOT, 'packages/lab/src/report/page')
  const out = join(DIST, 'report-page')
  rmSync(out, { recursive: true, force: true })
  await build({
    entryPoints: { page: join(page, 'main.js') },
    outdir: out,
    bundle: true,
    platform: 'browser',
    target: 'es2023',
    minify: true,
    logLevel: 'error',
  })
  cpSync(join(page, 'page.css'), join(out, 'page.css'))
}

if (process.argv[1] === fileURLToPath(import.meta.url) && (process.argv.includes('--force') || !isFresh())) await bundle()
