// Compiles proto/*.proto to packages/rpc/src/generated/messages.ts: the descriptors as JSON, a TypeScript interface per message, and
// the method table. Run after changing a .proto file; a test holds that the result is up to date.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import protobuf from 'protobufjs'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')
export const TARGET = join(ROOT, 'packages/rpc/src/generated/messages.ts')
const SCALARS = { string: 'string', bytes: 'Uint8Array', bool: 'boolean', int32: 'number', int64: 'number', uint32: 'number' }

export function compile() {
  const root = new protobuf.Root()
  for (const name of readdirSync(join(ROOT, 'proto')).sort()) {
    protobuf.parse(readFileSync(join(ROOT, 'proto', name), 'utf8'), root, { keepCase: false })
  }
  root.resolveAll()
  const { nested } = root.toJSON()
  const out = ['// Generated from proto/*.proto by scripts/compile-proto.mjs. Do not edit.', '']
  for (const name of messageNames(root)) out.push(...interfaceOf(root.lookupType(`faultline.${name}`)))
  out.push('export interface MessageTypes {', ...messageNames(root).map((name) => `  ${name}: ${name}`), '}', '')
  out.push(`export const DESCRIPTORS = ${JSON.stringify({ nested })} as const`, '', 'export const METHODS = {')
  for (const service of root.lookup('faultline').nestedArray) {
    if (service instanceof protobuf.Service) out.push(...methodsOf(service))
  }
  out.push('} as const', '')
  return out.join('\n')
}

function messageNames(root) {
  return root.lookup('faultline').nestedArray.flatMap((t) => (t instanceof protobuf.Type ? [t.name] : []))
}

function interfaceOf(type) {
  const fields = type.fieldsArray.map((f) => {
    const scalar = SCALARS[f.type] ?? f.type
    return `  ${f.name}: ${f.repeated ? `readonly ${scalar}[]` : scalar}`
  })
  return [`export interface ${type.name} {`, ...fields, '}', '']
}

function methodsOf(service) {
  return service.methodsArray.map((m) => {
    const name = m.name[0].toLowerCase() + m.name.slice(1)
    const streams = Boolean(m.requestStream && m.responseStream)
    return `  ${name}: { plane: '${service.name.toLowerCase()}', path: '/faultline.${service.name}/${m.name}', request: '${m.requestType}', reply: '${m.responseType}', streams: ${streams} },`
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(TARGET, compile())
