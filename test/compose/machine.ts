// Whether this machine can run the cluster in containers, and if not, what it lacks.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

export const ROOT = join(import.meta.dirname, '../..')

const NODE = 'node:24-bookworm-slim'
const BASES = [NODE, 'ghcr.io/shopify/toxiproxy:2.12.0']
const LIMIT_MS = 120_000

const run = promisify(execFile)

/** Why it does not work; undefined when it does. */
async function failure(...command: string[]): Promise<string | undefined> {
  return run(command[0]!, command.slice(1), { timeout: LIMIT_MS }).then(
    () => undefined,
    (error: { stderr?: string; message: string }) => (error.stderr || error.message).trim().split('\n').at(-1),
  )
}

/** How Compose is called here. */
export async function composeCommand(): Promise<string[] | undefined> {
  if (!(await failure('docker', 'compose', 'version'))) return ['docker', 'compose']
  return (await failure('docker-compose', 'version')) ? undefined : ['docker-compose']
}

/** Undefined when nothing is missing. */
export async function missing(): Promise<string | undefined> {
  const engine = await failure('docker', 'version', '--format', '{{.Server.Version}}')
  if (engine) return `no Docker engine answers (${engine})`
  if (!(await composeCommand())) return 'there is no Compose'
  for (const image of BASES) {
    if (!(await failure('docker', 'image', 'inspect', image))) continue
    const pulled = await failure('docker', 'pull', '-q', image)
    if (pulled) return `the image ${image} is not here and cannot be pulled (${pulled})`
  }
  return missingInside()
}

/** The image is built from npm's packages. */
async function missingInside(): Promise<string | undefined> {
  const certificate = process.env['NODE_EXTRA_CA_CERTS']
  const lent = certificate === undefined ? [] : ['-v', `${certificate}:/ca.pem:ro`, '-e', 'NODE_EXTRA_CA_CERTS=/ca.pem']
  const { stdout: registry } = await run('npm', ['config', 'get', 'registry'])
  const ask = `fetch('${registry.trim()}').catch((e) => { console.error(e.cause?.message ?? e.message); process.exit(9) })`
  const failed = await run('docker', ['run', '--rm', ...lent, NODE, 'node', '-e', ask], { timeout: LIMIT_MS }).then(
    () => undefined,
    (error: { code?: number; stderr?: string; message: string }) => error,
  )
  if (!failed) return undefined
  const why = (failed.stderr || failed.message).trim().split('\n').at(-1)
  return failed.code === 9 ? `containers do not reach npm's registry (${why})` : `containers do not run here (${why})`
}
