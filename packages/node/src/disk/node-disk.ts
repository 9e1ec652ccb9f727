// The Disk port on node:fs: synchronous calls, because into the page cache they cost less than a turn of the event loop.
import fs from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { DiskError, type Disk, type DiskErrorCode, type DiskFile } from '@faultline/base'

const CODES: readonly DiskErrorCode[] = ['ENOENT', 'ENOSPC', 'EIO', 'EACCES', 'EROFS', 'ENOTDIR', 'EISDIR', 'EEXIST', 'EMFILE']
/** What the operating system says in other words. */
const SYNONYMS: Readonly<Record<string, DiskErrorCode>> = { EDQUOT: 'ENOSPC', EFBIG: 'ENOSPC', EPERM: 'EACCES', ENFILE: 'EMFILE' }

export class NodeDisk implements Disk {
  readonly #root: string

  /** Relative paths start at `root`. */
  constructor(root: string) {
    this.#root = root
  }

  open(path: string, mode: 'r' | 'rw'): DiskFile {
    const flags = mode === 'r' ? fs.constants.O_RDONLY : fs.constants.O_RDWR | fs.constants.O_CREAT
    return attempt(path, () => new NodeFile(path, fs.openSync(this.#resolve(path), flags, 0o644)))
  }

  exists(path: string): boolean {
    return fs.existsSync(this.#resolve(path))
  }

  list(path: string): string[] {
    return attempt(path, () => fs.readdirSync(this.#resolve(path)).sort())
  }

  isDirectory(path: string): boolean {
    return attempt(path, () => fs.statSync(this.#resolve(path), { throwIfNoEntry: false })?.isDirectory() ?? false)
  }

  makeDirectory(path: string): void {
    attempt(path, () => fs.mkdirSync(this.#resolve(path), { recursive: true }))
  }

  rename(from: string, to: string): void {
    attempt(from, () => fs.renameSync(this.#resolve(from), this.#resolve(to)))
  }

  remove(path: string): void {
    attempt(path, () => {
      const resolved = this.#resolve(path)
      const found = fs.lstatSync(resolved, { throwIfNoEntry: false })
      if (found?.isDirectory()) fs.rmSync(resolved, { recursive: true, force: true })
      else if (found !== undefined) fs.unlinkSync(resolved)
    })
  }

  syncDirectory(path: string): void {
    attempt(path, () => {
      const descriptor = fs.openSync(this.#resolve(path), fs.constants.O_RDONLY)
      try {
        fs.fsyncSync(descriptor)
      } finally {
        fs.closeSync(descriptor)
      }
    })
  }

  #resolve(path: string): string {
    return isAbsolute(path) ? path : join(this.#root, path)
  }
}

class NodeFile implements DiskFile {
  readonly #path: string
  readonly #descriptor: number

  constructor(path: string, descriptor: number) {
    this.#path = path
    this.#descriptor = descriptor
  }

  size(): number {
    return attempt(this.#path, () => fs.fstatSync(this.#descriptor).size)
  }

  read(into: Uint8Array, position: number): number {
    return attempt(this.#path, () => {
      let done = 0
      while (done < into.length) {
        const count = fs.readSync(this.#descriptor, into, done, into.length - done, position + done)
        if (count === 0) break
        done += count
      }
      return done
    })
  }

  write(bytes: Uint8Array, position: number): void {
    attempt(this.#path, () => {
      let done = 0
      while (done < bytes.length) done += fs.writeSync(this.#descriptor, bytes, done, bytes.length - done, position + done)
    })
  }

  truncate(size: number): void {
    attempt(this.#path, () => fs.ftruncateSync(this.#descriptor, size))
  }

  sync(): void {
    attempt(this.#path, () => fs.fsyncSync(this.#descriptor))
  }

  /** The system call has waited for what there was to wait for. */
  lateMs(): number {
    return 0
  }

  close(): void {
    attempt(this.#path, () => fs.closeSync(this.#descriptor))
  }
}

function attempt<T>(path: string, run: () => T): T {
  try {
    return run()
  } catch (error) {
    throw diskError(path, error)
  }
}

function diskError(path: string, error: unknown): unknown {
  const name = (error as NodeJS.ErrnoException).code
  if (name === undefined || (error as NodeJS.ErrnoException).syscall === undefined) return error
  const code = SYNONYMS[name] ?? CODES.find((known) => known === name) ?? 'EIO'
  return new DiskError(code, path, (error as Error).message)
}
