import { Arena } from '../../native/arena.ts';
import { syscall } from '../../native/libc.ts';
import { ERRNO, NR, O_CLOEXEC } from '../../native/numbers.ts';
import { ClientMemory } from '../../process/client-memory.ts';
import { spawnProgram } from '../../process/spawn.ts';
import { EVENT, FOLLOW, OPTION, type Ptrace, SYSCALL_OP } from '../../ptrace/ptrace.ts';
import { RemoteCalls } from '../../ptrace/remote-calls.ts';
import { traceFilter } from '../capture/filter.ts';
import type { Mode, TracerMessage } from './messages.ts';

const PR_SET_NO_NEW_PRIVS = 38;
const SET_MODE_FILTER = 1;
/** struct sock_fprog. */
const HEADER_BYTES = 16;
/** Below the stack's end, behind the part that functions use without asking (128 bytes in the x86-64 ABI). */
const SCRATCH_BYTES = 2048;
/** An ioctl of the drivers' type that means nothing, on no file. */
const PROBE = 0xb8ff;
/** The descriptor on which the shell waits; it reads it as its standard input. */
const GATE = 9;
const STANDARD_INPUT = 0;
/**
 * Waits until it is traced, then becomes the program. A shell that sets PWD itself takes it away again where there was
 * none.
 */
const script = (hasFolder: boolean): string =>
  `read -r hvrewind_gate <&${GATE}; exec ${GATE}<&-; ${hasFolder ? '' : 'unset PWD; '}exec "$@"`;

export interface Launched {
  readonly pid: number;
  readonly mode: Mode;
}

type Failed = Extract<TracerMessage, { kind: 'failed' }>;

/**
 * Starts a program that is traced from its first instruction on, and stopped at the exec that makes it. Under `filter` it gets
 * the seccomp filter before; where that announces nothing (another filter stands above it), every call is traced.
 */
export function launch(
  ptrace: Ptrace,
  target: {
    readonly mode: Mode;
    readonly keepAlive: boolean;
    readonly command: readonly string[];
    readonly environment: readonly string[];
  },
): Launched | Failed {
  const pipe = new Arena(8);
  syscall(NR.pipe2, pipe.address, O_CLOEXEC);
  const [read, write] = [pipe.view.getInt32(0, true), pipe.view.getInt32(4, true)];
  const hasFolder = target.environment.some((entry) => entry.startsWith('PWD='));
  const words = ['sh', '-c', script(hasFolder), 'sh', ...target.command];
  const pid = spawnProgram('/bin/sh', words, target.environment, [[read, GATE]]);
  syscall(NR.close, read);
  if (pid < 0) return { kind: 'failed', step: 'spawn', errno: -pid };
  const options = FOLLOW | OPTION.seccomp | (target.keepAlive ? 0 : OPTION.exitKill);
  const seized = ptrace.seize(pid, options);
  if (seized < 0) {
    syscall(NR.close, write);
    return { kind: 'failed', step: 'seize', errno: -seized };
  }
  ptrace.interrupt(pid);
  let { mode } = target;
  if (!reachesGate(ptrace, pid, write)) return { kind: 'failed', step: 'seize', errno: ERRNO.ENOENT };
  if (mode === 'filter') {
    const installed = installFilter(ptrace, pid);
    if (typeof installed === 'number') return { kind: 'failed', step: 'filter', errno: -installed };
    if (!installed.works) mode = 'every-call';
  }
  return { pid, mode };
}

/** Until the shell has read from the gate: at the end of that call. The gate opens once it is stopped. */
function reachesGate(ptrace: Ptrace, pid: number, gate: number): boolean {
  ptrace.wait(pid);
  const line = new Arena(8);
  syscall(NR.write, gate, line.text(0, '\n'), 1);
  syscall(NR.close, gate);
  ptrace.syscall(pid);
  let isReading = false;
  for (;;) {
    const change = ptrace.wait(pid);
    if (change === undefined || change.kind === 'ended') return false;
    if (change.kind === 'syscall') {
      const op = ptrace.readInfo(pid);
      if (op === SYSCALL_OP.entry) {
        const { nr, args } = ptrace.entry();
        isReading = nr === NR.read && args[0] === STANDARD_INPUT;
      } else if (isReading && ptrace.result() > 0) {
        return true;
      }
    }
    ptrace.syscall(pid, change.kind === 'signal' ? change.signal : 0);
  }
}

/** Puts the filter on the stopped shell and tries it; a negative errno where the kernel refuses it. */
function installFilter(ptrace: Ptrace, pid: number): { readonly works: boolean } | number {
  const calls = new RemoteCalls(ptrace, pid, pid);
  if (!calls.save()) return -ERRNO.ENOENT;
  const program = traceFilter();
  const at = Math.floor((calls.stack - SCRATCH_BYTES) / 16) * 16;
  const bytes = new Uint8Array(HEADER_BYTES + program.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, program.length / 8, true);
  view.setBigUint64(8, BigInt(at + HEADER_BYTES), true);
  bytes.set(program, HEADER_BYTES);
  if (!new ClientMemory().write(pid, at, bytes)) return -ERRNO.EFAULT;
  let result = calls.call(NR.seccomp, SET_MODE_FILTER, 0, at);
  if (result === -ERRNO.EACCES) {
    // Without CAP_SYS_ADMIN it has to give up gaining rights by exec, which traced programs do not get anyway.
    calls.call(NR.prctl, PR_SET_NO_NEW_PRIVS, 1);
    result = calls.call(NR.seccomp, SET_MODE_FILTER, 0, at);
  }
  const works = result === 0 && calls.call(NR.ioctl, -1, PROBE) < 0 && calls.announced;
  calls.restore();
  return result < 0 ? result : { works };
}

/** The shell becomes the program: from there on it is recorded. False where it does not, and has ended. */
export function reachesProgram(ptrace: Ptrace, pid: number, mode: Mode): { readonly status?: number } {
  for (let signal = 0; ; ) {
    if (mode === 'filter') ptrace.cont(pid, signal);
    else ptrace.syscall(pid, signal);
    const change = ptrace.wait(pid);
    if (change === undefined) return { status: 0 };
    if (change.kind === 'ended') return { status: change.status };
    if (change.kind === 'event' && change.event === EVENT.exec) return {};
    signal = change.kind === 'signal' ? change.signal : 0;
  }
}
