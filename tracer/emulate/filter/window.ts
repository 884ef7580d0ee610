/**
 * Numbers of descriptors that stand for device files in the program: `from` up to, not including, `to`. The filter
 * tells them from the program's own by their number, so that calls on other files cost nothing.
 */
export interface FdWindow {
  readonly from: number;
  readonly to: number;
}

/** Most programs never have so many files open. */
const FIRST = 900;
/** Device, partitions and VPs of several large machines. */
const MOST = 1000;
/** One machine with some dozen VPs. */
const LEAST = 64;
/** Below it the program keeps room for its own files. */
const OWN = 64;

/** The window under a limit on descriptors (RLIMIT_NOFILE); undefined where the limit leaves no room. */
export function windowUnder(limit: number): FdWindow | undefined {
  const from = Math.min(FIRST, limit - LEAST);
  return from < OWN ? undefined : { from, to: Math.min(limit, from + MOST) };
}

export function inWindow(window: FdWindow, fd: number): boolean {
  return fd >= window.from && fd < window.to;
}
