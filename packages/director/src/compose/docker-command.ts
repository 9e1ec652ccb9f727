// The docker command of this machine and its Compose: run, and what they say instead of doing it told as a person understands it.
import { spawn } from 'node:child_process'
import { Refusal } from '@faultline/base'

/** What docker says instead of doing it, and what to do about that. */
const TROUBLE: readonly (readonly [says: RegExp, what: string, advice: string])[] = [
  [
    /permission denied/i,
    'this user may not use Docker',
    'join its group and log in again: sudo usermod -aG docker $USER; or use sudo',
  ],
  [
    /cannot connect|is the docker daemon running|failed to connect/i,
    'no Docker engine answers',
    'start it: sudo systemctl start docker, or Docker Desktop; if it is elsewhere, set DOCKER_HOST or docker context',
  ],
  [
    /no such (object|container)/i,
    'the cluster is in containers of another Docker engine',
    'type this on the machine that runs them, or set DOCKER_HOST or docker context to it',
  ],
]

/** What it prints. Rejects with Refusal NO_DOCKER where it cannot be used, and NODE_FAILED where it can and fails. */
export async function docker(...args: readonly string[]): Promise<string> {
  return run('docker', args)
}

/** Compose v2, or docker-compose 1.29. Rejects with Refusal NO_DOCKER when this machine has neither, or no engine. */
export async function findCompose(): Promise<Compose> {
  await docker('version', '--format', '{{.Server.Version}}')
  for (const command of [['docker', 'compose'], ['docker-compose']]) {
    const [file, ...first] = command as [string, ...string[]]
    const found = await run(file, [...first, 'version']).catch(() => undefined)
    if (found !== undefined) return (...args) => run(file, [...first, ...args])
  }
  const advice = 'install it: https://docs.docker.com/compose/install, or the package docker-compose'
  throw new Refusal('NO_DOCKER', 'there is no Compose here: neither docker compose nor docker-compose', advice)
}

export type Compose = (...args: readonly string[]) => Promise<string>

/** In a group of its own: Ctrl-C at a terminal must not end it half way. */
function run(file: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true })
    let [stdout, stderr] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text))
    child.once('error', (error) => reject(absent(file, error)))
    child.once('close', (code) => (code === 0 ? resolve(stdout.trim()) : reject(refusalOf(stderr.trim()))))
  })
}

function absent(file: string, { message }: Error): Refusal {
  const advice = 'install it, or type this where it is: https://docs.docker.com/engine/install'
  return new Refusal('NO_DOCKER', `there is no ${file} command here (${message})`, advice)
}

function refusalOf(said: string): Refusal {
  const [, what, advice] = TROUBLE.find(([says]) => says.test(said)) ?? []
  if (what !== undefined) return new Refusal('NO_DOCKER', what, advice!)
  return new Refusal('NODE_FAILED', said.replace(/^Error response from daemon: /, ''), 'look at: docker ps -a')
}
