import { readdirSync } from 'node:fs';
import { ERRNO } from '../../native/numbers.ts';
import { FOLLOW, type Ptrace } from '../../ptrace/ptrace.ts';
import type { Tracer } from './tracer.ts';

/** Takes hold of every thread of a process that runs, and of those that it makes meanwhile. 0, or a negative errno. */
export function attach(ptrace: Ptrace, tracer: Tracer, pid: number): number {
  const known = new Set<number>();
  for (;;) {
    const fresh = threadsOf(pid).filter((tid) => !known.has(tid));
    if (fresh.length === 0) return known.size > 0 ? 0 : -ERRNO.ENOENT;
    for (const tid of fresh) {
      known.add(tid);
      const seized = ptrace.seize(tid, FOLLOW);
      if (seized >= 0) {
        tracer.add(tid, undefined, true);
        ptrace.interrupt(tid);
      } else if (tid === pid) {
        return seized;
      }
      // Else it has ended, or is a new one that came along with the thread that made it.
    }
  }
}

function threadsOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map(Number);
  } catch {
    return [];
  }
}
