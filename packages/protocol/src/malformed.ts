// What every decoder of this package throws, and nothing else, when bytes from outside are not what they claim to be.

export class MalformedError extends Error {
  override readonly name = 'MalformedError'
}
