// The Docker engine of a CI run: the one that answers; where none does and we may, one that is installed and started here, and ended with
// all that it made: containers, containerd, bridges, mounts, rules of iptables.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, openSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const PACKAGES = ['docker.io', 'docker-compose', 'iptables', 'iproute2']
/** Where Debian has it by itself. */
const CLI = 'docker-cli'
const BASES = ['node:24-bookworm-slim', 'ghcr.io/shopify/toxiproxy:2.12.0']
/** What the names of ours begin with, of tests and of experiments. */
const OURS = 'faultline-'
const MINUTE = 60_000
const START_MS = 30_000
const END_MS = 30_000
const LOOK_MS = 100
const FORWARD = '/proc/sys/net/ipv4/ip_forward'
const CGROUPS = '/sys/fs/cgroup'
/** Its chains, its bridge, and those of its networks. */
const DOCKERS = /\bDOCKER|\bdocker0\b|\bbr-[0-9a-f]{12}\b/
const CONTAINERD = '/var/run/docker/containerd/containerd.pid'
/** While this says so, packages start no services. */
const POLICY = '/usr/sbin/policy-rc.d'

export class CiDocker {
  #ci
  #log
  #child
  #before

  /** `ci` runs programs: `run(file, args, limitMs)`, `has(file, ...args)`, `apt(...args)`. */
  constructor(ci, temp) {
    this.#ci = ci
    this.#log = join(temp, 'dockerd.log')
  }

  /** What cannot be had is told, and the tests that need it skip. */
  async prepare() {
    if (!(await this.#answers()) && !(await this.#start())) return
    if (await this.#lacksImages()) await this.#makeImages()
  }

  /** Synchronous: also for a run that is cut short. Does nothing when the engine is not ours. */
  end() {
    const child = this.#child
    if (!child) return
    this.#child = undefined
    for (const [list, remove] of [
      [
        ['ps', '-aq'],
        ['rm', '-f', '-v'],
      ],
      [
        ['network', 'ls', '-q'],
        ['network', 'rm'],
      ],
      [
        ['volume', 'ls', '-q'],
        ['volume', 'rm', '-f'],
      ],
    ]) {
      const ids = output('docker', [...list, '--filter', `name=${OURS}`])
        .split('\n')
        .filter(Boolean)
      if (ids.length > 0) output('docker', [...remove, ...ids])
    }
    const containerd = existsSync(CONTAINERD) ? Number(readFileSync(CONTAINERD, 'utf8')) : 0
    for (const pid of [child.pid, containerd]) if (pid > 0) endProcess(pid)
    leaveAsBefore(this.#before)
  }

  #answers() {
    return this.#ci.has('docker', 'version')
  }

  async #start() {
    const { has } = this.#ci
    const told = (why) => void console.log(`no Docker engine: ${why}`)
    if (process.getuid?.() !== 0) return told('none answers, and only root can start one')
    if (!(await has('dockerd', '--version'))) {
      if (!(await has('apt-get', '--version'))) return told('none answers, and without apt-get none can be installed')
      await this.#install()
      if (!(await has('dockerd', '--version'))) return told('it could not be installed')
    }
    this.#before = machine()
    const log = openSync(this.#log, 'a')
    this.#child = spawn('dockerd', [], { stdio: ['ignore', log, log], detached: true })
    let ended = false
    this.#child.once('exit', () => (ended = true))
    for (const limit = Date.now() + START_MS; !ended && Date.now() < limit;) {
      if (await this.#answers()) return true
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    }
    this.end()
    return told(`it does not start here: ${readFileSync(this.#log, 'utf8').trimEnd().split('\n').at(-1)}`)
  }

  async #install() {
    const { apt, has } = this.#ci
    const policy = !existsSync(POLICY)
    if (policy) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
    try {
      await apt('update')
      const cli = (await has('apt-cache', 'show', CLI)) ? [CLI] : []
      await apt('install', '-y', '--no-install-recommends', ...PACKAGES, ...cli)
    } finally {
      if (policy) rmSync(POLICY)
    }
  }

  async #lacksImages() {
    for (const image of BASES) {
      if (await this.#ci.has('docker', 'image', 'inspect', image)) continue
      if ((await this.#ci.run('docker', ['pull', '-q', image], 3 * MINUTE)) !== 0) return true
    }
    return false
  }

  /** Where no registry is reached, there may be a script that makes them. */
  async #makeImages() {
    const script = join(import.meta.dirname, '../../shared/docker/base-images')
    if (existsSync(script)) await this.#ci.run(script, ['node', 'toxiproxy'], 6 * MINUTE)
  }
}

/** What an engine changes of it. */
function machine() {
  return {
    links: readdirSync('/sys/class/net'),
    mounts: mountPoints(),
    cgroups: cgroups(),
    forward: readFileSync(FORWARD, 'utf8'),
    rules: { iptables: rulesOf('iptables'), ip6tables: rulesOf('ip6tables') },
  }
}

/** Of Docker, in the one hierarchy or in each; inner ones first. */
function cgroups() {
  if (!existsSync(CGROUPS)) return []
  const roots = [CGROUPS, ...readdirSync(CGROUPS).map((name) => join(CGROUPS, name))]
  return roots.flatMap((path) => [join(path, 'docker/buildkit'), join(path, 'docker')]).filter(existsSync)
}

function leaveAsBefore({ links, mounts, cgroups: known, forward, rules }) {
  for (const link of machine().links) if (!links.includes(link)) output('ip', ['link', 'delete', link])
  for (const mount of mountPoints().reverse()) if (!mounts.includes(mount)) output('umount', ['-l', mount])
  for (const [command, before] of Object.entries(rules)) {
    const undo = undoing(before, rulesOf(command))
    if (undo !== '') output(`${command}-restore`, ['--noflush'], undo)
  }
  const tries = cgroups()
    .filter((path) => !known.includes(path))
    .map((path) => () => rmdirSync(path))
  for (const change of [() => writeFileSync(FORWARD, forward), ...tries]) {
    try {
      change()
    } catch {
      // Not ours to change here.
    }
  }
}

function mountPoints() {
  return readFileSync('/proc/self/mounts', 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => line.split(' ')[1])
}

/** By tables: lines of policies, ":FORWARD DROP", and of rules, "-A FORWARD …". */
function rulesOf(command) {
  const tables = new Map()
  let lines = []
  for (const line of output(`${command}-save`, []).split('\n')) {
    if (line.startsWith('*')) tables.set(line.slice(1), (lines = []))
    else if (/^[:-]/.test(line)) lines.push(line.replace(/ \[\d+:\d+\]$/, ''))
  }
  return tables
}

/** For iptables-restore --noflush: takes away what an engine has added, and gives chains their policies back. */
export function undoing(before, after) {
  const text = [...after].map(([table, lines]) => {
    const old = [...(before.get(table) ?? [])]
    const added = lines.filter((line) => !old.includes(line))
    const rules = added.filter((line) => line.startsWith('-A ') && DOCKERS.test(line)).map((line) => line.replace('-A ', '-D '))
    const chains = added.filter((line) => /^:DOCKER\S* -$/.test(line)).map((line) => `-X ${line.slice(1, -2)}`)
    const policies = added.filter((line) => /^:\S+ [A-Z]+$/.test(line)).map((line) => policyBefore(line, old))
    const changes = [...policies, ...rules, ...chains]
    return changes.length === 0 ? '' : `*${table}\n${changes.join('\n')}\nCOMMIT\n`
  })
  return text.join('')
}

/** A table that was not there before accepted everything. */
function policyBefore(line, old) {
  const chain = line.split(' ')[0]
  return `${old.find((other) => other.startsWith(`${chain} `)) ?? `${chain} ACCEPT`} [0:0]`
}

/** In order, else by force. */
function endProcess(pid) {
  signal(pid, 'SIGTERM')
  for (const limit = Date.now() + END_MS; isAlive(pid) && Date.now() < limit;) pause()
  signal(pid, 'SIGKILL')
}

function signal(pid, name) {
  try {
    process.kill(pid, name)
  } catch {
    // It has ended.
  }
}

/** One that has ended and that nobody has asked about yet is not. */
function isAlive(pid) {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

function pause() {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOOK_MS)
}

/** Of a program that may be missing, or fail: empty then. */
function output(file, args, input = '') {
  const { status, stdout } = spawnSync(file, args, { encoding: 'utf8', input, timeout: END_MS })
  return status === 0 ? stdout : ''
}
