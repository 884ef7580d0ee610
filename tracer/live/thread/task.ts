import { ERRNO } from '../../native/numbers.ts';
import type { Call, Finish } from '../capture/host.ts';
import type { TracedProcess } from '../capture/open-files.ts';

/** A call that a thread is in, and who is told of its result. */
export interface OpenCall {
  readonly call: Call;
  readonly finish: Finish;
}

/** A traced thread. */
export interface Task {
  readonly tid: number;
  readonly process: TracedProcess;
  /** The call that it is in, where that is one of ours. */
  open: OpenCall | undefined;
  /**
   * Calls that a signal took it out of and that the kernel may start again, the outermost first: what becomes of one is
   * known when the thread's next call is.
   */
  readonly interrupted: OpenCall[];
  /** It ran before it was traced, and has not stopped yet. */
  isFound: boolean;
}

/**
 * Whether a call that is about to begin is one that was interrupted, started again; else those are over that cannot be
 * started again any more, because the thread has gone on below their stack.
 */
export function resumed(task: Task, next: Call): OpenCall | undefined {
  for (;;) {
    const last = task.interrupted.at(-1);
    // Deeper in the stack: a signal's handler makes calls before it returns.
    if (last === undefined || next.sp < last.call.sp) return undefined;
    task.interrupted.pop();
    if (isSame(last.call, next)) return last;
    last.finish(-ERRNO.EINTR);
  }
}

function isSame(one: Call, other: Call): boolean {
  return (
    one.ip === other.ip &&
    one.sp === other.sp &&
    one.nr === other.nr &&
    one.args.every((arg, index) => arg === other.args[index])
  );
}
