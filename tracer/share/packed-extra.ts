/** Names of what stands beside the events in the header of a packed trace; all but these are passed over. */
export const EXTRA = {
  tool: 'tool',
  engine: 'engine',
  start: 'start',
  capture: 'capture',
  profile: 'profile',
  counts: 'counts',
  hash: 'hash',
  state: 'state',
  notes: 'notes',
  gaps: 'gaps',
  origin: 'origin',
} as const;
