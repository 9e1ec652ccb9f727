// The Disk port in memory. It knows what has been made durable, so that a simulated power loss takes what a real one may take,
// and it fails where it is told to.
import { DiskError, assert, type Clock, type Disk, type DiskErrorCode, type DiskFile, type Random } from '@faultline/base'
import { VirtualFile } from './virtual-file.ts'

export type DiskOperation =
  'open' | 'list' | 'makeDirectory' | 'rename' | 'remove' | 'syncDirectory' | 'read' | 'write' | 'truncate' | 'sync'

/** An operation about to happen; `bytes` are those to be written. */
export interface DiskAttempt {
  readonly operation: DiskOperation
  readonly path: string
  readonly bytes?: Uint8Array
}

/** How an operation is to fail. A write may leave its first `written` bytes. */
export interface DiskFault {
  readonly code: DiskErrorCode
  readonly written?: number
}

export interface VirtualDiskOptions {
  /** Bytes of file content; a write beyond answers ENOSPC. */
  readonly capacity?: number
  /** With `writeBackMs`: unsynced changes older than that survive a power loss, as the operating system has written them back. */
  readonly clock?: Clock
  readonly writeBackMs?: number
}

interface Directory {
  readonly entries: Map<string, Node>
  /** What the directory would hold after a power loss, if no pending change survived. */
  readonly durable: Map<string, Node>
  /** Since the last sync, in order. A rename within the directory is one change. */
  pending: { readonly at: number; readonly names: readonly NameChange[] }[]
}

/** `node` undefined for a removal. */
interface NameChange {
  readonly name: string
  readonly node: Node | undefined
}

type Node = { readonly file: VirtualFile } | { readonly directory: Directory }

export class VirtualDisk implements Disk {
  /** Looked at before every operation; what it returns is how the operation fails. */
  fault: ((attempt: DiskAttempt) => DiskFault | undefined) | undefined
  capacity: number
  readonly #clock: Clock | undefined
  readonly #writeBackMs: number
  readonly #root: Directory = newDirectory()
  #used = 0
  /** Handles of a process that is gone no longer work. */
  #generation = 0

  constructor(options: VirtualDiskOptions = {}) {
    this.capacity = options.capacity ?? Number.POSITIVE_INFINITY
    this.#clock = options.clock
    this.#writeBackMs = options.writeBackMs ?? Number.POSITIVE_INFINITY
  }

  /** Bytes of all files that have a name. */
  get usedBytes(): number {
    return this.#used
  }

  open(path: string, mode: 'r' | 'rw'): DiskFile {
    this.#attempt('open', path)
    const { parent, name } = this.#parent(path)
    const node = parent.entries.get(name)
    if (node !== undefined && 'directory' in node) throw new DiskError('EISDIR', path)
    if (node !== undefined) return this.#handle(path, node.file, mode)
    if (mode === 'r') throw new DiskError('ENOENT', path)
    const file = new VirtualFile()
    this.#change(parent, [{ name, node: { file } }])
    return this.#handle(path, file, mode)
  }

  exists(path: string): boolean {
    return this.#find(path) !== undefined
  }

  list(path: string): string[] {
    this.#attempt('list', path)
    return [...this.#directory(path).entries.keys()].sort()
  }

  isDirectory(path: string): boolean {
    const node = this.#find(path)
    return node !== undefined && 'directory' in node
  }

  makeDirectory(path: string): void {
    this.#attempt('makeDirectory', path)
    let directory = this.#root
    for (const name of segments(path)) {
      let node = directory.entries.get(name)
      if (node === undefined) {
        node = { directory: newDirectory() }
        this.#change(directory, [{ name, node }])
      }
      if (!('directory' in node)) throw new DiskError('EEXIST', path)
      directory = node.directory
    }
  }

  rename(from: string, to: string): void {
    this.#attempt('rename', from)
    const source = this.#parent(from)
    const target = this.#parent(to)
    const node = source.parent.entries.get(source.name)
    if (node === undefined) throw new DiskError('ENOENT', from)
    const replaced = target.parent.entries.get(target.name)
    if (replaced === node) return
    if (replaced !== undefined && 'directory' in replaced) throw new DiskError('EEXIST', to)
    if (replaced !== undefined) this.#used -= sizeOf(replaced)
    const arrival = { name: target.name, node }
    const departure = { name: source.name, node: undefined }
    if (source.parent === target.parent) return this.#change(source.parent, [departure, arrival])
    this.#change(target.parent, [arrival])
    this.#change(source.parent, [departure])
  }

  remove(path: string): void {
    this.#attempt('remove', path)
    if (!this.isDirectory(dirname(path))) return
    const { parent, name } = this.#parent(path)
    const node = parent.entries.get(name)
    if (node === undefined) return
    this.#used -= sizeOf(node)
    this.#change(parent, [{ name, node: undefined }])
  }

  syncDirectory(path: string): void {
    this.#attempt('syncDirectory', path)
    const directory = this.#directory(path)
    for (const { names } of directory.pending) applyNames(directory.durable, names)
    directory.pending = []
  }

  /** The process is gone, the machine runs on: everything written is kept, open handles are not. */
  crashProcess(): void {
    this.#generation++
  }

  /**
   * The machine is gone: an unsynced write survives with `probability`, or tears; of the unsynced names in each directory the first few
   * survive, as file systems keep them in a journal.
   */
  crashPower(random: Random, probability = 0.5): void {
    this.#generation++
    this.#losePower(this.#root, random, probability, this.#now() - this.#writeBackMs, new Set())
    this.#used = sizeOf({ directory: this.#root })
  }

  /** For faults and tests: a bit of a stored file decays. */
  flipBit(path: string, position: number, bit: number): void {
    const node = this.#find(path)
    assert(node !== undefined && 'file' in node, `no file ${path}`)
    node.file.flipBit(position, bit)
  }

  #losePower(directory: Directory, random: Random, probability: number, before: number, seen: Set<VirtualFile>): void {
    let survivors = 0
    const { pending } = directory
    while (survivors < pending.length && (pending[survivors]!.at < before || random.next() < probability)) survivors++
    for (const { names } of pending.slice(0, survivors)) applyNames(directory.durable, names)
    directory.pending = []
    directory.entries.clear()
    for (const [name, node] of directory.durable) {
      directory.entries.set(name, node)
      if ('directory' in node) this.#losePower(node.directory, random, probability, before, seen)
      else if (!seen.has(node.file)) {
        seen.add(node.file)
        node.file.writeBack(before)
        node.file.losePower(random, probability)
      }
    }
  }

  #handle(path: string, file: VirtualFile, mode: 'r' | 'rw'): DiskFile {
    const generation = this.#generation
    let open = true
    const check = (operation: DiskOperation, bytes?: Uint8Array) => {
      assert(open && generation === this.#generation, `${operation} of ${path} after close or crash`)
      assert(mode === 'rw' || operation === 'read', `${operation} of ${path}, opened for reading`)
      this.#attempt(operation, path, bytes)
    }
    return {
      size: () => file.size,
      read: (into, position) => {
        check('read')
        return file.read(into, position)
      },
      write: (bytes, position) => {
        assert(open && generation === this.#generation && mode === 'rw', `write to ${path} that is not open for writing`)
        this.#write(path, file, bytes, position)
      },
      truncate: (size) => {
        check('truncate')
        this.#used += size - file.size
        file.truncate(size, this.#now())
      },
      sync: () => {
        check('sync')
        file.sync()
      },
      lateMs: () => 0,
      close: () => {
        open = false
      },
    }
  }

  #write(path: string, file: VirtualFile, bytes: Uint8Array, position: number): void {
    const fault = this.fault?.({ operation: 'write', path, bytes })
    const growth = Math.max(0, position + bytes.length - file.size)
    const room = Math.max(0, this.capacity - this.#used)
    const full = growth > room
    if (fault === undefined && !full) {
      file.write(bytes, position, this.#now())
      this.#used += growth
      return
    }
    const before = file.size
    const written = fault !== undefined ? (fault.written ?? 0) : bytes.length - (growth - room)
    if (written > 0) file.write(bytes.subarray(0, written), position, this.#now())
    this.#used += file.size - before
    throw new DiskError(fault?.code ?? 'ENOSPC', path)
  }

  #attempt(operation: DiskOperation, path: string, bytes?: Uint8Array): void {
    const fault = this.fault?.(bytes === undefined ? { operation, path } : { operation, path, bytes })
    if (fault !== undefined) throw new DiskError(fault.code, path)
  }

  #change(directory: Directory, names: readonly NameChange[]): void {
    applyNames(directory.entries, names)
    directory.pending.push({ at: this.#now(), names })
  }

  #find(path: string): Node | undefined {
    let node: Node | undefined = { directory: this.#root }
    for (const name of segments(path)) {
      if (node === undefined || !('directory' in node)) return undefined
      node = node.directory.entries.get(name)
    }
    return node
  }

  #directory(path: string): Directory {
    const node = this.#find(path)
    if (node === undefined) throw new DiskError('ENOENT', path)
    if (!('directory' in node)) throw new DiskError('ENOTDIR', path)
    return node.directory
  }

  #parent(path: string): { parent: Directory; name: string } {
    const name = segments(path).at(-1)
    assert(name !== undefined, 'the root is no file')
    return { parent: this.#directory(dirname(path)), name }
  }

  #now(): number {
    return this.#clock?.mono() ?? 0
  }
}

function newDirectory(): Directory {
  return { entries: new Map(), durable: new Map(), pending: [] }
}

function applyNames(entries: Map<string, Node>, names: readonly NameChange[]): void {
  for (const { name, node } of names) {
    if (node === undefined) entries.delete(name)
    else entries.set(name, node)
  }
}

function sizeOf(node: Node): number {
  if ('file' in node) return node.file.size
  let sum = 0
  for (const child of node.directory.entries.values()) sum += sizeOf(child)
  return sum
}

function segments(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.')
}

function dirname(path: string): string {
  return segments(path).slice(0, -1).join('/')
}
