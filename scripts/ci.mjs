// Runs every test that this machine can run and counts: what needs only Node, then the real clients whose toolchains are here, and the
// cluster in containers where there is a Docker engine or one can be started.
// Called by .ci/run. Leaves no process and no folder behind.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join, relative } from 'node:path'
import { CiDocker } from './ci-docker.mjs'

const ROOT = join(import.meta.dirname, '..')
const PROGRAMS = join(ROOT, 'test/clients/programs')
const MINUTE = 60_000
/** Whatever is not done by then is ended, and counts as failed. */
const DEADLINE = Date.now() + 38 * MINUTE
const temp = mkdtempSync(join(tmpdir(), 'fl-ci-'))
const running = new Set()
const docker = new CiDocker({ run, has, apt }, temp)

process.chdir(ROOT)
// What a test that is cut short leaves in its temporary folder goes with ours.
process.env.TMPDIR = temp
process.on('exit', () => {
  for (const pid of running) end(pid)
  docker.end()
  rmSync(temp, { recursive: true, force: true })
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1))

const groups = await onlyNode()
groups.push(...(await realClients()))
groups.push(...(await containers()))
report(groups)

async function onlyNode() {
  const out = join(temp, 'node.json')
  const done = await run('npm', ['test', '--', ...reporters('default', out)], 15 * MINUTE)
  return counted('npm test', done, out, ({ file }) => /^packages\/[^/]+|^test\/[^/]+(?=\/)|^test/.exec(file)[0])
}

async function realClients() {
  const python = await pythonPackages()
  const clients = ['kafkajs', ...python.clients]
  if (await installKcat()) clients.push('kcat')
  if (await has('go', 'version')) clients.push('franz-go')
  if ((await has('javac', '-version')) && (await has('mvn', '-version'))) clients.push('java-console')
  const out = join(temp, 'clients.json')
  const args = ['vitest', 'run', '--config', 'vitest.clients.config.ts', ...reporters('verbose', out)]
  const done = await run('npx', args, 20 * MINUTE, { ...python.env, REQUIRE_CLIENTS: clients.join(',') })
  return counted('real clients', done, out, ({ title }) => `client ${title[0] ?? 'list'}`)
}

/** Where there is no engine, or an image cannot be had, its tests are skipped and say why. */
async function containers() {
  await docker.prepare()
  const out = join(temp, 'compose.json')
  const args = ['vitest', 'run', '--config', 'vitest.compose.config.ts', ...reporters('verbose', out)]
  const done = await run('npx', args, 12 * MINUTE)
  docker.end()
  return counted('containers', done, out, () => 'containers')
}

/** confluent-kafka and kafka-python in an environment of their own; where that cannot be made, in a folder of their own. */
async function pythonPackages() {
  if (!(await has('python3', '--version'))) return { clients: [], env: {} }
  const clients = ['confluent-kafka', 'kafka-python']
  const wanted = clients.flatMap((name) => ['-r', join(PROGRAMS, name, 'requirements.txt')])
  const install = (python, ...where) =>
    run(python, ['-m', 'pip', 'install', '-q', '--no-input', '--disable-pip-version-check', ...where, ...wanted], 5 * MINUTE)
  const python = join(temp, 'venv/bin/python')
  if ((await run('python3', ['-m', 'venv', join(temp, 'venv')], 2 * MINUTE)) === 0) {
    await install(python)
    return { clients, env: { CLIENTS_PYTHON: python } }
  }
  if (!(await has('python3', '-m', 'pip', '--version'))) return { clients: [], env: {} }
  const folder = join(temp, 'python')
  await install('python3', '--target', folder)
  return { clients, env: { PYTHONPATH: [folder, process.env.PYTHONPATH].filter(Boolean).join(delimiter) } }
}

async function installKcat() {
  if (await has('kcat', '-V')) return true
  if (process.getuid?.() !== 0 || !(await has('apt-get', '--version'))) return false
  await apt('update')
  await apt('install', '-y', '--no-install-recommends', 'kcat')
  return has('kcat', '-V')
}

function apt(...args) {
  return run('apt-get', ['-qq', '-o', 'DPkg::Lock::Timeout=60', ...args], 4 * MINUTE, { DEBIAN_FRONTEND: 'noninteractive' })
}

async function has(file, ...args) {
  return (await run(file, args, MINUTE, {}, 'ignore')) === 0
}

/** Its exit code, or what it ended by instead; a program that takes too long is ended with all that it started. */
function run(file, args, limitMs, env = {}, output = 'inherit') {
  if (output === 'inherit') console.log(`\n$ ${file} ${args.join(' ')}`)
  return new Promise((resolve) => {
    const child = spawn(file, args, { env: { ...process.env, ...env }, stdio: ['ignore', output, output], detached: true })
    if (child.pid !== undefined) running.add(child.pid)
    const ms = Math.max(0, Math.min(limitMs, DEADLINE - Date.now()))
    const limit = setTimeout(() => done(`no end within ${(ms / MINUTE).toFixed(1)} minutes`), ms)
    const done = (outcome) => {
      clearTimeout(limit)
      if (running.delete(child.pid)) end(child.pid)
      resolve(outcome)
    }
    child.once('error', (error) => done(error.message))
    child.once('exit', (code, signal) => done(code ?? signal))
  })
}

/** A process and whatever of its group is left. */
function end(pid) {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // Nothing is left.
  }
}

function reporters(shown, out) {
  return [`--reporter=${shown}`, '--reporter=json', `--outputFile.json=${out}`]
}

/** The tests of one vitest run in groups; a run that failed without a failed test is a failure by itself. */
function counted(name, done, out, groupOf) {
  const byName = new Map()
  const at = (group) => {
    if (!byName.has(group)) byName.set(group, { name: group, passed: 0, failed: 0, skipped: 0, seconds: 0 })
    return byName.get(group)
  }
  for (const { name: path, status, assertionResults } of existsSync(out)
    ? JSON.parse(readFileSync(out, 'utf8')).testResults
    : []) {
    const file = relative(ROOT, path)
    for (const test of assertionResults) {
      const group = at(groupOf({ file, title: test.ancestorTitles }))
      group[test.status === 'passed' || test.status === 'failed' ? test.status : 'skipped']++
      group.seconds += (test.duration ?? 0) / 1000
    }
    if (status === 'failed' && !assertionResults.some((t) => t.status === 'failed')) at(file).failed++
  }
  if (done !== 0 && ![...byName.values()].some((g) => g.failed > 0)) at(`${name} (${done})`).failed++
  return [...byName.values()]
}

function report(groups) {
  const cells = (cell) => cell.map((c, i) => (i === 0 ? c.padEnd(28) : c.padStart(9))).join('')
  console.log(`\n${cells(['group', 'passed', 'failed', 'skipped', 'seconds'])}`)
  for (const { name, passed, failed, skipped, seconds } of groups) {
    console.log(cells([name, ...[passed, failed, skipped].map(String), seconds.toFixed(1)]))
  }
  const sum = (field) => groups.reduce((total, group) => total + group[field], 0)
  console.log(`\n${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped`)
  process.exitCode = sum('failed') > 0 || sum('passed') === 0 ? 1 : 0
}
