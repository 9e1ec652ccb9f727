// What a proxy costs: bytes through it per second of its own CPU, ours and a real Toxiproxy (TOXIPROXY_SERVER=path), in turns.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'

const BYTES = 512 * 1024 * 1024
const ROUNDS = 3
const OURS = join(import.meta.dirname, '../dist/proxy.cjs')

async function started(kind) {
  if (kind === 'ours') {
    const child = spawn(process.execPath, [OURS, '0'], { stdio: ['pipe', 'pipe', 'inherit'] })
    const line = await new Promise((resolve) => child.stdout.once('data', resolve))
    return { child, url: `http://127.0.0.1:${JSON.parse(line).port}` }
  }
  const port = 20_000 + (process.pid % 10_000)
  const child = spawn(process.env.TOXIPROXY_SERVER, ['-port', String(port)], { stdio: 'ignore' })
  const url = `http://127.0.0.1:${port}`
  while (!(await fetch(`${url}/version`).catch(() => undefined))) await new Promise((r) => setTimeout(r, 20))
  return { child, url }
}

/** User and system time of a process so far, in seconds. */
function cpu(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

async function round(kind) {
  const { child, url } = await started(kind)
  let received = 0
  const sink = createServer((socket) => socket.on('data', (chunk) => (received += chunk.length)).on('error', () => {}))
  await new Promise((resolve) => sink.listen(0, '127.0.0.1', resolve))
  const body = JSON.stringify({ name: 'p', listen: '127.0.0.1:0', upstream: `127.0.0.1:${sink.address().port}` })
  const { listen } = await (await fetch(`${url}/proxies`, { method: 'POST', body })).json()
  const socket = connect(Number(listen.split(':').at(-1)), '127.0.0.1')
  const chunk = Buffer.alloc(64 * 1024)
  const before = cpu(child.pid)
  const began = performance.now()
  for (let sent = 0; sent < BYTES; sent += chunk.length)
    if (!socket.write(chunk)) await new Promise((r) => socket.once('drain', r))
  while (received < BYTES) await new Promise((r) => setTimeout(r, 5))
  const mib = BYTES / 1024 / 1024
  const figures = { perCpu: mib / (cpu(child.pid) - before), perSecond: (mib / (performance.now() - began)) * 1000 }
  socket.destroy()
  sink.close()
  child.kill('SIGKILL')
  return figures
}

const kinds = process.env.TOXIPROXY_SERVER ? ['ours', 'toxiproxy'] : ['ours']
const all = Object.fromEntries(kinds.map((kind) => [kind, []]))
for (let i = 0; i < ROUNDS; i++) for (const kind of kinds) all[kind].push(await round(kind))
const median = (kind, figure) => all[kind].map((f) => f[figure]).sort((a, b) => a - b)[ROUNDS >> 1]
for (const kind of kinds)
  console.log(
    `${kind}: ${median(kind, 'perCpu').toFixed(0)} MiB a CPU second, ${median(kind, 'perSecond').toFixed(0)} MiB a second`,
  )
if (kinds.length > 1) console.log(`ratio per CPU: ${(median('ours', 'perCpu') / median('toxiproxy', 'perCpu')).toFixed(2)}`)
