import { isatty } from 'node:tty';

const PASSED: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGHUP'];
const ENDING: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];
/** A terminal sends these to the program as well: it is in the same group. */
const FROM_TERMINAL = new Set<NodeJS.Signals>(['SIGINT', 'SIGQUIT']);

/** What this process is told goes to the program, which decides. Returns what ends that. */
export function passSignals(pid: number): () => void {
  const pass = (signal: NodeJS.Signals) => {
    if (!FROM_TERMINAL.has(signal) || !isatty(0)) send(pid, signal);
  };
  return listen(PASSED, pass);
}

/** Who ends this process by a signal ends what it is about instead. Returns what ends that. */
export function onEnding(act: () => void): () => void {
  return listen(ENDING, act);
}

function listen(signals: readonly NodeJS.Signals[], act: (signal: NodeJS.Signals) => void): () => void {
  for (const signal of signals) process.on(signal, act);
  return () => {
    for (const signal of signals) process.off(signal, act);
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
