// The entry of the proxy process: proxy.cjs PORT. It says its port on standard output, and ends with its standard input.
import { ProxyServer } from './proxy-server.ts'

process.title = 'faultline-proxy'
const server = new ProxyServer()
const end = () => process.exit(0)

server.listen('127.0.0.1', Number(process.argv[2] ?? 0)).then(
  (port) => process.stdout.write(`${JSON.stringify({ port })}\n`),
  (error: Error) => {
    process.stderr.write(`${error.message}\n`)
    process.exit(78)
  },
)
process.stdin.on('end', end).on('error', end).resume()
process.on('SIGTERM', end)
process.on('SIGINT', () => {})
