/** The steps of an attempt at which a process can die, in their order. */
export const crashSteps = [
  'before the commit',
  'between the commit and the disk',
  'after the disk',
  'before the request',
  'while the receiver has it',
  'with the answer in hand',
] as const

export type CrashStep = (typeof crashSteps)[number]

/** Calls at once in a process that is to die. */
export const crashCallsMax = 16

export const crashEndpoints = ['one', 'two', 'three', 'four', 'five'] as const
export const callsPerEndpoint = 4

/** A call is open, or its outcome is not committed, while it has its endpoint's credit: no more can be repeated. */
export const repeatsMax = crashEndpoints.length * callsPerEndpoint
