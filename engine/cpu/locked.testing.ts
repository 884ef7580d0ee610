/** One of several processors that use the same memory at the same time: the thread of locked.test.ts. */
import { parentPort, workerData } from 'node:worker_threads';
import { TestGuest } from './cpu.testing.ts';
import { EXECUTE, PAGE_BYTES, READ, WRITE } from './index.ts';
import { LongGuest } from './long-mode.testing.ts';

/** A program to run `times` times, in two pages that the other processors see: from 9000h on, of 64-bit code from 15000h on. */
export interface SharedProgram {
  readonly code: string;
  readonly isLong: boolean;
  /** Where its code stands. */
  readonly at: number;
  readonly times: number;
  readonly shared: SharedArrayBuffer;
  /** How many have not come to it yet: they begin together. */
  readonly missing: Int32Array<SharedArrayBuffer>;
  readonly pairs: Int32Array<SharedArrayBuffer>;
}

function run({ code, isLong, at, times, shared, missing, pairs }: SharedProgram): string {
  const guest = isLong ? new LongGuest() : new TestGuest();
  guest.memory.pairs = pairs;
  for (const index of [0, 1])
    guest.memory.pages.set((isLong ? 0x15 : 9) + index, {
      bytes: new Uint8Array(shared, index * PAGE_BYTES, PAGE_BYTES),
      permissions: READ | WRITE | EXECUTE,
    });
  if (guest instanceof LongGuest) guest.long(code, 0, at);
  else guest.flat(code, at);
  guest.set('RCX', times);
  Atomics.sub(missing, 0, 1);
  while (Atomics.load(missing, 0) > 0);
  return guest.run(50_000_000).kind;
}

const programs = workerData as readonly SharedProgram[];
parentPort?.postMessage(programs.map(run));
