// What a topic may be called (Kafka's Topic.validate), and when two names collide in metric names.

const MAX_LENGTH = 249

/** A sentence that says what is wrong, or undefined. */
export function invalidTopicName(name: string): string | undefined {
  if (name === '') return 'Topic name is invalid: the empty string is not allowed'
  if (name === '.' || name === '..') return `Topic name is invalid: '${name}' is not allowed`
  if (name.length > MAX_LENGTH)
    return `Topic name is invalid: the length of '${name}' is longer than the max allowed length ${MAX_LENGTH}`
  if (!/^[a-zA-Z0-9._-]+$/.test(name)) {
    return `Topic name is invalid: '${name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'`
  }
  return undefined
}

/** '.' and '_' are one character in metric names: of two names that differ only there, the second is refused. */
export function collisionKey(name: string): string {
  return name.replaceAll('.', '_')
}
