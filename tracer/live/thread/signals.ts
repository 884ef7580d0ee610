import { readFileSync } from 'node:fs';

const bit = (signal: number): bigint => 1n << BigInt(signal - 1);
/** What a process does not hear of unless it has a handler: SIGCHLD, SIGCONT, SIGURG, SIGWINCH. */
const IGNORED_BY_DEFAULT = bit(17) | bit(18) | bit(23) | bit(28);

/** Signals that wait for a thread and that it does not block, as the kernel's sets. */
export interface WaitingSignals {
  readonly all: bigint;
  /** Those that do something to it. */
  readonly heard: bigint;
}

/** What waits for a thread (/proc/TID/status); nothing where it is gone. */
export function waitingSignals(tid: number): WaitingSignals {
  let text: string;
  try {
    text = readFileSync(`/proc/${tid}/status`, 'latin1');
  } catch {
    return { all: 0n, heard: 0n };
  }
  const set = (name: string) =>
    BigInt(`0x${new RegExp(`^${name}:\\s*([0-9a-f]+)`, 'm').exec(text)?.[1] ?? '0'}`);
  const all = (set('SigPnd') | set('ShdPnd')) & ~set('SigBlk');
  const ignored = set('SigIgn') | (IGNORED_BY_DEFAULT & ~set('SigCgt'));
  return { all, heard: all & ~ignored };
}
