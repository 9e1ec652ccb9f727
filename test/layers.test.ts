// Holds the layer table: imports point down, siblings do not import each other, and below the shells nothing touches the machine.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { describe, expect, it } from 'vitest'

const ROOT = join(import.meta.dirname, '..')

/** What each package may import from this workspace. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  base: [],
  fault: ['base'],
  protocol: ['base'],
  rpc: ['base'],
  raft: ['base', 'protocol', 'rpc'],
  log: ['base', 'protocol', 'rpc'],
  client: ['base', 'protocol', 'rpc'],
  controller: ['base', 'protocol', 'rpc', 'raft', 'log', 'client'],
  coordinator: ['base', 'protocol', 'rpc', 'raft', 'log', 'client'],
  broker: ['base', 'fault', 'protocol', 'rpc', 'raft', 'log', 'client', 'controller', 'coordinator'],
  node: ['base', 'fault', 'protocol', 'rpc', 'raft', 'log', 'client', 'controller', 'coordinator', 'broker'],
  sim: ['base', 'fault', 'protocol', 'rpc', 'raft', 'log', 'client', 'controller', 'coordinator', 'broker'],
  proxy: ['base'],
  director: ['base', 'fault', 'protocol', 'rpc', 'client', 'controller', 'coordinator', 'node'],
  lab: ['base', 'protocol', 'client', 'node', 'director'],
  cli: ['base', 'protocol', 'rpc', 'client', 'node', 'sim', 'director', 'lab'],
}
const PURE = ['base', 'fault', 'protocol', 'rpc', 'raft', 'log', 'client', 'controller', 'coordinator', 'broker']
/** node:zlib and node:crypto compute; they reach nothing outside the process. */
const PURE_NODE_MODULES = ['node:zlib', 'node:crypto', 'node:buffer']
const IMPURE = /\b(Date\.now|new Date\(|performance\.|Math\.random|setTimeout|setInterval|setImmediate|process\.|queueMicrotask)/

function sources(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name)
    return statSync(path).isDirectory() ? sources(path) : path.endsWith('.ts') ? [path] : []
  })
}

function imports(text: string): string[] {
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((m) => m[1]!)
}

describe('layers', () => {
  for (const name of readdirSync(join(ROOT, 'packages'))) {
    it(`${name} imports only what its layer may`, () => {
      const allowed = MAY_IMPORT[name]
      expect(allowed, `packages/${name} is not in the layer table`).toBeDefined()
      for (const file of sources(join(ROOT, 'packages', name, 'src'))) {
        for (const target of imports(readFileSync(file, 'utf8'))) {
          const own = /^@faultline\/([^/]+)/.exec(target)
          if (own) expect(allowed, `${relative(ROOT, file)} imports ${target}`).toContain(own[1])
          if (PURE.includes(name) && target.startsWith('node:'))
            expect(PURE_NODE_MODULES, `${relative(ROOT, file)} imports ${target}`).toContain(target)
        }
      }
    })
  }

  for (const name of PURE) {
    it(`${name} reaches time, chance and process only through ports`, () => {
      for (const file of sources(join(ROOT, 'packages', name, 'src'))) {
        const code = readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$|'[^'\n]*'/gm, '')
        expect(IMPURE.exec(code)?.[0], relative(ROOT, file)).toBeUndefined()
      }
    })
  }
})
