import { isatty } from 'node:tty';

const PASSED: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGHUP'];
/** A terminal sends these to the program as well: it is in the same group. */
const FROM_TERMINAL = new Set<NodeJS.Signals>(['SIGINT', 'SIGQUIT']);

/** What this process is told goes to the program, which decides. Returns what ends that. */
export function passSignals(pid: number): () => void {
  const pass = (signal: NodeJS.Signals) => {
    if (!FROM_TERMINAL.has(signal) || !isatty(0)) send(pid, signal);
  };
  for (const signal of PASSED) process.on(signal, pass);
  return () => {
    for (const signal of PASSED) process.off(signal, pass);
  };
}

/** Sends a signal; to a process that has ended already nothing is sent. */
export function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
