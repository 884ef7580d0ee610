/** The time of all guests: nanoseconds since `start` (of process.hrtime), the same in every thread. */
export function guestClock(start: bigint): () => number {
  return () => Number(process.hrtime.bigint() - start);
}
