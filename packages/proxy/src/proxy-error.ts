// What the HTTP API answers to what cannot be done, in Toxiproxy's words.

export class ProxyError extends Error {
  override readonly name = 'ProxyError'
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}
