import { type ChildProcess, spawn } from 'node:child_process';
import { Arena } from '../native/arena.ts';
import { syscall } from '../native/libc.ts';
import { NR, O_CLOEXEC } from '../native/numbers.ts';

/**
 * Reads `+ PID` and `- PID`; at the end of its input it kills those that are left. Signals of the terminal, which go
 * to a whole group, do not end it.
 */
const SCRIPT = `
trap '' HUP INT QUIT TERM
left=' '
while read -r what pid; do
  case $what in
    +) left="$left$pid " ;;
    -) left="\${left%% $pid *} \${left#* $pid }" ;;
  esac
done
for pid in $left; do kill -9 "$pid" 2>/dev/null; done
`;

/**
 * Starts the process that outlives this one and ends the program when this one is killed: without it the program's
 * calls would only fail. Returns the descriptor through which {@link Keeper} speaks to it.
 */
export function startKeeper(): { readonly fd: number; readonly child: ChildProcess } {
  const pipe = new Arena(8);
  const failed = syscall(NR.pipe2, pipe.address, O_CLOEXEC);
  if (failed < 0) throw new Error(`no pipe: errno ${-failed}`);
  const [read, fd] = [pipe.view.getInt32(0, true), pipe.view.getInt32(4, true)];
  const child = spawn('/bin/sh', ['-c', SCRIPT], { stdio: [read, 'ignore', 'ignore'], detached: true });
  child.unref();
  syscall(NR.close, read);
  return { fd, child };
}

/** Tells the keeper which processes the program consists of. */
export class Keeper {
  readonly #fd: number;
  readonly #line = new Arena(32);

  constructor(fd: number) {
    this.#fd = fd;
  }

  watch(pid: number): void {
    this.#say(`+ ${pid}\n`);
  }

  forget(pid: number): void {
    this.#say(`- ${pid}\n`);
  }

  #say(line: string): void {
    syscall(NR.write, this.#fd, this.#line.text(0, line), line.length);
  }
}
