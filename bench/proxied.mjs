// npm run bench:proxied: what the proxies on every link cost. The same records go into a cluster with them and into one without, in turns, with
// acks=all on three replicas.
import { compare } from './throughput.mjs'

await compare({ direct: {}, proxied: { options: ['--proxied'] } })
