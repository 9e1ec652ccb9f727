// Mistakes, one a name, planted in a node's bundle that only a test has: each changes a few words of the product's source, and has to be found by name.
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { build, type Plugin } from 'esbuild'
// @ts-expect-error a build script without types
import { NODE_OPTIONS } from '../../scripts/bundle.mjs'

const ROOT = join(import.meta.dirname, '../..')
const DIST = join(ROOT, 'dist')

interface Change {
  /** Under packages/. */
  readonly file: string
  readonly from: string
  readonly to: string
}

export const PLANTED: Readonly<Record<string, { readonly about: string; readonly changes: readonly Change[] }>> = {
  'rebalance-in-silence': {
    about: 'members never hear of a rebalance, nobody waits for them, and what they commit is taken',
    changes: [
      {
        file: 'coordinator/src/group/heartbeat.ts',
        from: '  if (!group) return Errors.UNKNOWN_MEMBER_ID',
        to: '  return Errors.NONE',
      },
      {
        file: 'coordinator/src/group/rebalance.ts',
        from: 'else group.joinDeadline.set(group.rebalanceTimeoutMs)',
        to: 'else group.joinDeadline.set(100)',
      },
      {
        file: 'coordinator/src/group/check-commit.ts',
        from: '  const { memberId, groupInstanceId, generationIdOrMemberEpoch: generation } = request\n  if (!group) {',
        to: '  return Errors.NONE\n  if (!group) {',
      },
    ],
  },
  'reader-passes-by': {
    about: 'who fetches further on than the beginning, and has more than a batch to read, gets what comes after it',
    changes: [
      {
        file: 'broker/src/fetch/fetch-partition.ts',
        from: 'log.read(wanted.fetchOffset, Math',
        to: 'log.read(wanted.fetchOffset > 0 && wanted.fetchOffset + 4 < bound ? wanted.fetchOffset + 4 : wanted.fetchOffset, Math',
      },
    ],
  },
  'positions-forgotten': {
    about: 'positions that are committed with a transaction are forgotten, but for the first few',
    changes: [
      {
        file: 'coordinator/src/group/transactional-offsets.ts',
        from: '      if (!committed || superseded) continue',
        to: '      if (!committed || superseded || order > 3) continue',
      },
    ],
  },
  'copies-differ': {
    about: 'a follower has a batch with another checksum than its leader',
    changes: [
      {
        file: 'log/src/partition-log.ts',
        from: '    this.#write(bytes, lastOffset, maxTimestamp)\n    for (let at = 0;',
        to: '    if (this.#logEndOffset > 400 && this.#logEndOffset < 500) bytes = bytes.map((b, i) => (i === 17 ? b ^ 1 : b))\n    this.#write(bytes, lastOffset, maxTimestamp)\n    for (let at = 0;',
      },
    ],
  },
}

/** A folder of bundles in which nodes have these mistakes; nothing else differs. */
export async function plant(names: readonly string[]): Promise<{ readonly program: string; remove(): void }> {
  const program = join(DIST, `planted-${process.pid}`)
  const remove = () => rmSync(program, { recursive: true, force: true })
  remove()
  mkdirSync(program)
  for (const name of readdirSync(DIST))
    if (/\.cjs$|^report-page$/.test(name)) cpSync(join(DIST, name), join(program, name), { recursive: true })
  const changes = names.flatMap((name) => PLANTED[name]!.changes)
  await build({ ...NODE_OPTIONS, outfile: join(program, 'node.cjs'), plugins: [changing(changes)] })
  return { program, remove }
}

/** What is to be changed has to be there: a mistake that is none any more would prove nothing. */
function changing(changes: readonly Change[]): Plugin {
  return {
    name: 'planted',
    setup({ onLoad, onEnd }) {
      const made = new Set<Change>()
      onLoad({ filter: /packages\/.*\.ts$/ }, ({ path }) => {
        const mine = changes.filter((c) => path === join(ROOT, 'packages', c.file))
        if (mine.length === 0) return undefined
        let contents = readFileSync(path, 'utf8')
        for (const change of mine) {
          if (contents.includes(change.from)) made.add(change)
          contents = contents.replace(change.from, () => change.to)
        }
        return { contents, loader: 'ts' }
      })
      onEnd(() => {
        const missing = changes.filter((c) => !made.has(c))
        if (missing.length > 0) throw new Error(`nothing to change in ${missing.map((c) => `${c.file}: ${c.from}`).join('; ')}`)
      })
    },
  }
}
