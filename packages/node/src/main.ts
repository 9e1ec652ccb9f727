// The entry of a node process: node.cjs CONFIG.json. Exit codes: 0 stopped in order, 70 a mistake of ours, 78 it refused to start, or to
// go on (its disk failed).
import { dirname } from 'node:path'
import { Refusal } from '@faultline/base'
import { ArmedFaults } from '@faultline/fault'
import { EventLog } from './event-log.ts'
import { serveManagement } from './management/management-server.ts'
import { FaultHits } from './metrics/fault-hits.ts'
import { serveHttp } from './metrics/http-server.ts'
import { ProcessMetrics } from './metrics/process-metrics.ts'
import { type NodeConfig, readFaults, readNodeConfig } from './node-config.ts'
import { MACHINE } from './machine.ts'
import { OutputGate } from './output-gate.ts'
import { GrpcTransport } from './peer/grpc-transport.ts'
import { FileTally } from './tally.ts'

const config = readNodeConfig(process.argv[2]!)
const name = `${config.role}:${config.id}`
process.title = `faultline-${config.role}-${config.id}`
const events = new EventLog(name)
let ended = false

function exit(code: number, error?: Error): void {
  if (ended) return
  ended = true
  if (error) {
    const { code, advice } = error instanceof Refusal ? error : { code: null, advice: null }
    events.emit('node.failed', { message: error.message, stack: error.stack ?? '', refusal: code, advice })
  }
  events.emit('node.exit', { code })
  process.exit(code)
}

process.on('uncaughtException', (error) => exit(70, error))
process.on('unhandledRejection', (reason) => exit(70, reason instanceof Error ? reason : new Error(String(reason))))

async function run({ role }: NodeConfig): Promise<void> {
  events.emit('node.start', { pid: process.pid, version: process.version })
  const gate = new OutputGate()
  const transport = new GrpcTransport(({ node, plane }) => config.links[`${node}/${plane}`]!, gate)
  const start =
    role === 'broker' ? (await import('./broker-node.ts')).startBroker : (await import('./controller-node.ts')).startController
  const hits = new FaultHits(events)
  const tally = new FileTally(dirname(config.management))
  const faults = new ArmedFaults(hits, (fault, limit) => tally.next(fault, limit))
  faults.onNotice = (armed) => (armed.fault.family === 'watch' ? gate.hold(armed.number('hold', 0)) : faults.onChange())
  faults.onPoint = (armed) => (armed.fault.kind === 'pause' ? process.kill(process.pid, 'SIGSTOP') : MACHINE.crash())
  for (const fault of readFaults(config)) faults.arm(fault)
  const node = await start(config, transport, events, faults, exit, gate)
  const processMetrics = new ProcessMetrics()
  const observed = {
    families: () => [...node.families(), ...hits.families(), ...processMetrics.families()],
    health: () => node.health(),
  }
  await serveHttp(config.listen.http, observed)
  const stop = () => {
    events.emit('node.stopping', {})
    node.stop()
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', () => {})
  await serveManagement(config.management, { ...node, ...observed, stop }, events, faults, gate)
  if (config.followsSupervisor) {
    process.stdin.on('end', () => exit(0)).on('error', () => exit(0))
    process.stdin.resume()
  }
  events.emit('node.ready', { ms: Math.round(performance.now()) })
}

run(config).catch((error: unknown) => {
  const taken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
  const refusal = taken ? new Refusal('PORT_TAKEN', (error as Error).message, 'free it, or start another cluster') : error
  exit(refusal instanceof Refusal ? 78 : 70, refusal as Error)
})
