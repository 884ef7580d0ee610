import { Arena } from '../../native/arena.ts';
import { syscall } from '../../native/libc.ts';
import { NR } from '../../native/numbers.ts';

const PR_SET_NO_NEW_PRIVS = 38;
const SET_MODE_FILTER = 1;
const NEW_LISTENER = 8;
/**
 * Once a call was received, signals no longer take its thread out of it: else a call that the engine has done already
 * would be made again. The waits of the emulated device look at the signals themselves. Linux 5.19.
 */
const WAIT_KILLABLE = 0x20;
/** struct sock_fprog. */
const HEADER_BYTES = 16;

/**
 * Puts a filter on the calling thread and what it starts from now on, for good. Returns the descriptor of its listener
 * (good in the whole process, closed on exec), or a negative errno.
 */
export function installFilter(program: Uint8Array): number {
  const arena = new Arena(HEADER_BYTES + program.length);
  arena.view.setUint16(0, program.length / 8, true);
  arena.setU64(8, arena.address + HEADER_BYTES);
  arena.bytes.set(program, HEADER_BYTES);
  const result = syscall(NR.prctl, PR_SET_NO_NEW_PRIVS, 1);
  if (result < 0) return result;
  const listener = syscall(NR.seccomp, SET_MODE_FILTER, NEW_LISTENER | WAIT_KILLABLE, arena.address);
  // Reading the arena here keeps it alive over the call.
  return arena.bytes.length > 0 ? listener : -1;
}
