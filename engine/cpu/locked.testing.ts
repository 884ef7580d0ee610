/** One of several processors that use the same memory at the same time: the thread of locked.test.ts. */
import { parentPort, workerData } from 'node:worker_threads';
import { TestGuest, TestMemory } from './cpu.testing.ts';
import { EXECUTE, PAGE_BYTES, READ, WRITE } from './index.ts';

/** A program to run `times` times, in two pages from 9000h on that the other processors see. */
export interface SharedProgram {
  readonly code: string;
  /** Where its code stands. */
  readonly at: number;
  readonly times: number;
  readonly shared: SharedArrayBuffer;
  /** How many have not come to it yet: they begin together. */
  readonly missing: Int32Array<SharedArrayBuffer>;
}

function run({ code, at, times, shared, missing }: SharedProgram): string {
  const memory = new TestMemory().map(0, 0x20000);
  for (const [index, page] of [9, 10].entries())
    memory.pages.set(page, {
      bytes: new Uint8Array(shared, index * PAGE_BYTES, PAGE_BYTES),
      permissions: READ | WRITE | EXECUTE,
    });
  const guest = new TestGuest(memory).flat(code, at);
  guest.set('RCX', times);
  Atomics.sub(missing, 0, 1);
  while (Atomics.load(missing, 0) > 0);
  return guest.run(50_000_000).kind;
}

const programs = workerData as readonly SharedProgram[];
parentPort?.postMessage(programs.map(run));
