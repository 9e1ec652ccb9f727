// The client ids of the lab itself: by them its own requests are told from those of a program under test.

const PREFIX = 'faultline-'

export function clientIdOf(name: string): string {
  return `${PREFIX}${name}`
}

export function isOurs(clientId: string | null): boolean {
  return clientId !== null && clientId.startsWith(PREFIX)
}
