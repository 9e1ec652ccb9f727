// The command line: verbs and their options. Each verb's work is in commands/.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { Refusal } from '@faultline/base'
import { Command, InvalidArgumentError, Option } from 'commander'
import { FAST_SETTINGS, lastFolder, ROLES } from '@faultline/director'
import { axis } from './chaos/series.ts'
import { refusalText } from './output.ts'

interface Common {
  readonly dir: string
  readonly output: 'text' | 'json'
}

const program = new Command('faultline')
  .description('A Kafka cluster that is meant to be broken: real processes, real replication, the real protocol.')
  .showHelpAfterError('(faultline --help shows every verb)')

const NODE = `broker:2, controller:101, ${ROLES}`

/** --dir and -o are common to all. */
function onFolder(name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .option('--dir <folder>', 'the cluster (default: the last one started)', lastFolder())
    .option('-o, --output <format>', 'text or json', format, 'text')
}

/** A verb on a running cluster. */
function verb(name: string, description: string): Command {
  const at = new Option('--at <url>', 'the cluster by its control API instead, as in http://localhost:8080').env('FAULTLINE_API')
  return onFolder(name, description).addOption(at)
}

/** A verb that looks: once, or again each second. */
function looking(name: string, description: string): Command {
  return verb(name, description).option('--watch', 'again each second, until Ctrl-C', false)
}

function format(value: string): string {
  if (value !== 'text' && value !== 'json') throw new InvalidArgumentError('use text or json')
  return value
}

function integer(value: string): number {
  if (!/^-?\d+$/.test(value)) throw new InvalidArgumentError('use a whole number')
  return Number(value)
}

function keyValue(value: string, before: Record<string, string> = {}): Record<string, string> {
  const at = value.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('use key=value')
  return { ...before, [value.slice(0, at)]: value.slice(at + 1) }
}

onFolder('up', 'start a cluster, or start again the one in the folder')
  .option('--brokers <n>', 'number of brokers, 1 to 9', integer, 3)
  .option('--controllers <n>', 'number of controllers, 1 to 9', integer, 3)
  .option('--port <n>', "the first broker's port; 0 for free ones", integer, 9092)
  .option('--host <address>', 'where brokers listen', '127.0.0.1')
  .option('--advertise <host>', 'the host name that brokers tell their clients')
  .option('--racks <names>', 'comma-separated racks, given to the brokers in turn', (v: string) => v.split(','), [])
  .option('--set <key=value>', 'a broker configuration, by its Kafka name; repeatable', keyValue, {})
  .option(
    '--fast',
    `shorter timeouts for work at a screen: ${Object.entries(FAST_SETTINGS)
      .map((e) => e.join('='))
      .join(' ')}`,
    false,
  )
  .option('--proxied', 'every link goes through a proxy, so that it can be slowed or cut', false)
  .option('--toxiproxy <url>', 'through this Toxiproxy instead of our own')
  .option(
    '--api-host <address>',
    'where the control API listens; elsewhere than on this machine it asks for a token',
    '127.0.0.1',
  )
  .option('--api-port <n>', 'and its port; 0 for a free one', integer, 0)
  .option('--detach', 'return when the cluster is up', false)
  .action(async (options) => (await import('./commands/up.ts')).up(options))

looking('status', 'nodes, and every partition with its leader, ISR and offsets').action(async (o) =>
  (await import('./commands/inspect.ts')).status(o),
)
verb('nodes', 'nodes with pid, port and state').action(async (o: Common) => (await import('./commands/inspect.ts')).nodes(o))
verb('logs', 'what a node wrote')
  .argument('<node>', NODE)
  .option('-n, --lines <n>', 'the last lines', integer, 50)
  .action(async (node: string, o) => (await import('./commands/inspect.ts')).logs(node, o))

for (const [name, what] of [
  ['kill', 'end a node at once (SIGKILL)'],
  ['terminate', 'stop a node in order (controlled shutdown)'],
  ['pause', 'stop a node in its tracks (SIGSTOP)'],
  ['resume', 'let a paused node go on'],
  ['restart', 'stop a node in order if it runs, and start it again'],
] as const) {
  verb(name, what)
    .argument('<node>', NODE)
    .action(async (node: string, o: Common) => (await import('./commands/act.ts')).act(name, node, o))
}

program
  .command('chaos')
  .description('experiments: write down what must survive, run it, get a verdict (exit code 0 pass, 1 fail, 2 inconclusive)')
  .argument('<action>', 'list, run, new, open or schema')
  .argument('[what...]', 'run FILE, or the name of one of the catalogue; new FILE; schema [FILE]')
  .option('-o, --output <format>', 'text or json', format, 'text')
  .option('--param <name=value>', 'a parameter of the experiment; repeatable', keyValue, {})
  .option('--matrix <name=v1,v2>', 'run with each of these values of a parameter; repeatable: each combination', axis, {})
  .option('--repeat <n>', 'run each so many times', integer, 1)
  .option('--app <command>', 'your own program as the load: in the place of what reads, with BOOTSTRAP_SERVERS; killed as app:1')
  .option('--app-replicas <n>', 'copies of it, 1 unless told otherwise', integer)
  .addOption(
    new Option('--world <name>', 'where it runs: processes of this machine, or containers')
      .choices(['local', 'compose'])
      .default('local'),
  )
  .option('--seed <n>', 'of what workloads and faults draw by lot; printed by each run', integer)
  .option('--disarmed', 'break nothing: whatever passes then proves nothing, and the verdict says so', false)
  .action(async (action: string, what: string[], o) => (await import('./commands/chaos.ts')).chaos(action, what, o))

verb('fault', 'break something at a chosen moment; see what is broken, and heal it')
  .argument('<action>', 'add, list, points, heal or heal-all')
  .argument('[what...]', 'add FAMILY (process, link, protocol, storage, clock, load); heal ID')
  .option('--do <kind>', 'what happens: see fault points')
  .option('--node <node>', `where: ${NODE}; all that it concerns when left out`)
  .option('--from <node>', 'of a link: whose sending is broken; clients for all that come from outside')
  .option('--to <node>', 'and to whom')
  .option('--plane <plane>', 'client, control or replication; all when left out')
  .option('--toxic <type=n,name=n>', 'of a link: as in latency=200,jitter=50')
  .option('--cut <ways>', 'of a link: both, or one-way')
  .option('--api <name>', 'requests of this API, as in Produce; repeatable', (v: string, all: string[] = []) => [...all, v])
  .option('--topic <name>', 'requests that name this topic')
  .option('--partition <n>', 'and this partition of it', integer)
  .option('--group <id>', 'requests of this group')
  .option('--txn <id>', 'requests of this transactional id')
  .option('--client <id>', 'requests of this client')
  .option('--file <kind>', 'files of this kind')
  .option('--point <name>', 'a failpoint')
  .option('--when <condition>', "a condition on the cluster's state, as in: txn(t1).state = PrepareCommit")
  .option('--nth <n>', 'only the nth occasion', integer)
  .option('--every <n>', 'every nth occasion', integer)
  .option('--probability <p>', 'each occasion with this chance', Number)
  .option('--seed <n>', 'of the chance', integer)
  .option('--after <fault[:hits]>', 'not before another fault has hit so often')
  .option('--count <n>', 'it is over after so many hits', integer)
  .option('--ttl <time>', 'it is healed after so long: 500ms, 30s, 2m')
  .option('--in <time>', 'it begins so long from now')
  .option('--observe', 'count the hits, do nothing', false)
  .option('--with <key=value>', 'what the kind needs to know; repeatable', keyValue, {})
  .action(async (action: string, what: string[], o) => (await import('./commands/fault.ts')).fault(action, what, o))

verb('events', 'what happened in the cluster')
  .option('--follow', 'and what happens from now on', false)
  .action(async (o) => (await import('./commands/events.ts')).events(o))

verb('down', 'stop the cluster; its folder stays')
  .option('--wipe', 'remove the folder too', false)
  .action(async (o) => (await import('./commands/act.ts')).down(o))

verb('topics', 'list topics; create, delete or describe one')
  .argument('[action]', 'create, delete or describe')
  .argument('[name]', 'the topic')
  .option('--partitions <n>', 'partitions', integer, 1)
  .option('--rf <n>', 'replication factor', integer, -1)
  .option('--config <key=value>', 'a topic configuration; repeatable', keyValue, {})
  .action(async (action: string | undefined, name: string | undefined, o) =>
    (await import('./commands/topics.ts')).topics(action, name, o),
  )

verb('produce', 'send lines of standard input as records; "key:value" with --keys')
  .argument('<topic>')
  .option('--keys', 'what stands before the first colon is the key', false)
  .option('--transactional-id <id>', 'one transaction, committed where the input ends')
  .action(async (topic: string, o) => (await import('./commands/records.ts')).produce(topic, o))

verb('consume', 'print records as they come, without those of transactions that are open or aborted')
  .argument('<topic>')
  .option('--group <id>', 'as a member of this group, which commits its positions')
  .option('--from-beginning', 'from the first record that is there', false)
  .option('--max <n>', 'end after so many records', integer, 0)
  .action(async (topic: string, o) => (await import('./commands/records.ts')).consume(topic, o))

looking('groups', 'groups with their coordinators, members and lag').action(async (o) =>
  (await import('./commands/groups.ts')).groups(o),
)
looking('group', "one group: its members, and each partition's position and owner")
  .argument('<name>', 'the group')
  .action(async (name: string, o) => (await import('./commands/groups.ts')).group(name, o))
looking('txns', 'transactional ids with their coordinators, states and open transactions').action(async (o) =>
  (await import('./commands/txns.ts')).txns(o),
)
looking('txn', 'one transactional id: its transaction, and where it is open')
  .argument('<id>', 'the transactional id')
  .action(async (id: string, o) => (await import('./commands/txns.ts')).txn(id, o))

program
  .command('sim')
  .description('whole clusters in one process, from seeds: nodes crash, and every record is judged')
  .addOption(
    new Option('--scenario <name>', 'a leader crashes under a producer, or coordinators under a transactional processor')
      .choices(['failover', 'exactly-once'])
      .default('failover'),
  )
  .option('--seeds <n>', 'how many', integer, 20)
  .option('--seed <n>', 'one seed only, to replay it', integer)
  .action(({ scenario, seeds, seed }: { scenario: string; seeds: number; seed?: number }) => {
    const range = seed === undefined ? [1, seeds] : [seed, 1]
    const child = spawnSync(process.execPath, [join(__dirname, 'sim.cjs'), scenario, ...range.map(String)], { stdio: 'inherit' })
    process.exitCode = child.status ?? 70
  })

program.parseAsync().catch((error: unknown) => {
  process.stderr.write(error instanceof Refusal ? refusalText(error) : `${(error as Error).stack}\n`)
  process.exitCode = error instanceof Refusal ? 2 : 70
})
