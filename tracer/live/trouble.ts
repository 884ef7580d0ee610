import type { RecordProblem } from './record.ts';
import type { TracerMessage } from './thread/messages.ts';

const EPERM = 1;

/** Something that the user can mend. */
export function usage(text: string): RecordProblem {
  return { text, environment: false };
}

/** Why the tracing thread could not begin. */
export function refusal(
  step: Extract<TracerMessage, { kind: 'failed' }>['step'],
  errno: number,
  pid: number | undefined,
): RecordProblem {
  if (step === 'spawn') return usage(`the program cannot be started: errno ${errno}`);
  if (step === 'filter')
    return {
      text: `this kernel takes no seccomp filter: errno ${errno}; try --keep-alive`,
      environment: true,
    };
  if (pid === undefined)
    return {
      text: `ptrace is not permitted here: errno ${errno}; a container or Yama may forbid it`,
      environment: true,
    };
  if (errno !== EPERM) return usage(`${pid}: no such process`);
  return {
    text: `${pid} may not be traced: it is traced already, or belongs to another user; try as root, or set kernel.yama.ptrace_scope to 0`,
    environment: true,
  };
}
