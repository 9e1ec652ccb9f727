// A real browser, where there is one: Chromium without a window, driven through a pipe by its DevTools protocol.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'

export const CHROMIUM = ['chromium', 'chromium-browser', 'google-chrome'].find(
  (name) => spawnSync(name, ['--version']).status === 0,
)

type Answer = Readonly<Record<string, any>>

export class Browser {
  readonly #process: ChildProcess
  readonly #profile: string
  readonly #waiting = new Map<number, { resolve: (answer: Answer) => void; reject: (error: Error) => void }>()
  readonly #exited: Promise<unknown>
  #session: string | undefined
  #next = 1
  #rest = ''

  private constructor(profile: string) {
    this.#profile = profile
    const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--remote-debugging-pipe']
    this.#process = spawn(CHROMIUM!, [...flags, `--user-data-dir=${profile}`], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
    })
    this.#exited = new Promise((resolve) => this.#process.once('close', resolve))
    void this.#exited.then(() => {
      for (const { reject } of this.#waiting.values()) reject(new Error('the browser has ended'))
    })
    const answers = this.#process.stdio[4] as Readable
    answers.setEncoding('utf8')
    answers.on('data', (text: string) => this.#hear(text))
  }

  static async start(width = 1400, height = 1000): Promise<Browser> {
    const browser = new Browser(mkdtempSync(join(tmpdir(), 'browser-')))
    const { targetId } = await browser.ask('Target.createTarget', { url: 'about:blank' })
    browser.#session = (await browser.ask('Target.attachToTarget', { targetId, flatten: true }))['sessionId']
    await browser.ask('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: false })
    await browser.ask('Page.enable')
    return browser
  }

  /** Something of https://chromedevtools.github.io/devtools-protocol/ */
  ask(method: string, params: object = {}): Promise<Answer> {
    const id = this.#next++
    const session = this.#session === undefined ? {} : { sessionId: this.#session }
    const writable = this.#process.stdio[3] as Writable
    writable.write(`${JSON.stringify({ id, method, params, ...session })}\0`)
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }))
  }

  /** Until the page has drawn itself. */
  async open(file: string): Promise<void> {
    await this.ask('Page.navigate', { url: `file://${file}` })
    await this.evaluate(`new Promise((done) => {
      const look = () => (document.readyState === 'complete' ? requestAnimationFrame(() => done(true)) : setTimeout(look, 5))
      look()
    })`)
  }

  async evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.ask('Runtime.evaluate', {
      expression,
      awaitPromise: true,
      returnByValue: true,
    })
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text)
    return result.value as T
  }

  /** The middle of the first element that a CSS selector finds, once it is in sight. */
  async placeOf(selector: string): Promise<{ x: number; y: number }> {
    return this.evaluate(`(() => {
      const found = document.querySelector(${JSON.stringify(selector)})
      found.scrollIntoView({ block: 'center' })
      const box = found.getBoundingClientRect()
      return { x: box.x + box.width / 2, y: box.y + box.height / 2 }
    })()`)
  }

  async click(selector: string): Promise<void> {
    const place = await this.placeOf(selector)
    await this.drag(place, place)
  }

  async drag(from: { x: number; y: number }, to: { x: number; y: number }): Promise<void> {
    const mouse = (type: string, at: object, buttons: number) =>
      this.ask('Input.dispatchMouseEvent', { type, ...at, button: 'left', buttons, clickCount: 1 })
    await mouse('mouseMoved', from, 0)
    await mouse('mousePressed', from, 1)
    await mouse('mouseMoved', to, 1)
    await mouse('mouseReleased', to, 0)
  }

  async press(key: string): Promise<void> {
    await this.ask('Input.dispatchKeyEvent', { type: 'keyDown', key })
    await this.ask('Input.dispatchKeyEvent', { type: 'keyUp', key })
  }

  async screenshot(): Promise<Buffer> {
    return Buffer.from((await this.ask('Page.captureScreenshot', { captureBeyondViewport: true }))['data'], 'base64')
  }

  async pdf(): Promise<Buffer> {
    const { data } = await this.ask('Page.printToPDF', { printBackground: false, preferCSSPageSize: true })
    return Buffer.from(data, 'base64')
  }

  async close(): Promise<void> {
    this.#session = undefined
    await this.ask('Browser.close').catch(() => {})
    await this.#exited
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  }

  #hear(text: string): void {
    const messages = (this.#rest + text).split('\0')
    this.#rest = messages.pop()!
    for (const message of messages) {
      const { id, result, error } = JSON.parse(message) as { id?: number; result: Answer; error?: { message: string } }
      const waiting = this.#waiting.get(id ?? -1)
      this.#waiting.delete(id ?? -1)
      if (error) waiting?.reject(new Error(error.message))
      else waiting?.resolve(result)
    }
  }
}
