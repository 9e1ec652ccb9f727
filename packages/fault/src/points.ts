// Points in the code that have a name, where a node can be made to crash or to stop in its tracks.

export const POINTS = {
  'produce.appended': 'a client batch is in the log of its leader, on no other replica yet',
  'produce.replicated': 'it is on every in-sync replica, and the answer is about to leave',
  'markers.appended': "a transaction's marker is in the log of a partition",
  'replica.appended': 'a follower has appended what it fetched, and not asked for more yet',
  'isr.alter-sent': 'a leader has proposed another ISR to the controller',
} as const

export type PointName = keyof typeof POINTS
