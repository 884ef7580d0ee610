/**
 * LOCK, and XCHG with memory: other VPs see the update as one step (Intel SDM 3A, 9.1). The instruction runs as always, but
 * what it stores replaces only the value that it read; where another VP was faster, all is put back and it runs again.
 * An operand that is not aligned, or is a register of a device, is updated in two steps.
 */
import type { Execute, Instruction } from './instruction.ts';
import type { Machine } from './machine.ts';

/** A typed view for one operand: 4 bytes signed, else unsigned, as operands have them. */
function cellsOf({ buffer, byteOffset }: DataView, at: number, size: number) {
  if (size === 4) return new Int32Array(buffer, byteOffset + at, 1);
  return size === 2
    ? new Uint16Array(buffer, byteOffset + at, 1)
    : new Uint8Array(buffer, byteOffset + at, 1);
}

export function isAligned(view: DataView, at: number, size: number): boolean {
  return (view.byteOffset + at) % size === 0;
}

/** Replaces an aligned operand if it is still what was read. */
export function replaceLocked(
  m: Machine,
  view: DataView,
  at: number,
  size: number,
  read: number,
  value: number,
): void {
  m.lost = Atomics.compareExchange(cellsOf(view, at, size), 0, read, value) !== read;
}

/** As `replaceLocked`, of 8 bytes. */
export function replaceLocked64(m: Machine, view: DataView, at: number, read: bigint, value: bigint): void {
  const cells = new BigInt64Array(view.buffer, view.byteOffset + at, 1);
  m.lost = Atomics.compareExchange(cells, 0, read, value) !== read;
}

/** Two numbers of 64 bits that stand one after the other. */
export type Pair = readonly [bigint, bigint];

/** How long one waits for another that has the pairs: the host may have taken its processor away. */
const PAIR_WAIT_MS = 1;

/**
 * As `replaceLocked`, of 16 bytes: JavaScript has no such step. Those who replace pairs do so one at a time (`GuestMemory.pairs`);
 * who stores into one half of a pair in between has it as if it had come before.
 */
export function replaceLockedPair(m: Machine, view: DataView, at: number, read: Pair, value: Pair): void {
  const cells = new BigInt64Array(view.buffer, view.byteOffset + at, 2);
  const { pairs } = m.memory;
  if (pairs !== undefined)
    while (Atomics.compareExchange(pairs, 0, 0, 1) !== 0) Atomics.wait(pairs, 0, 1, PAIR_WAIT_MS);
  const is = Atomics.load(cells, 0) === read[0] && Atomics.load(cells, 1) === read[1];
  m.lost = !is || Atomics.compareExchange(cells, 0, read[0], value[0]) !== read[0];
  if (!m.lost && Atomics.compareExchange(cells, 1, read[1], value[1]) !== read[1]) {
    m.lost = true;
    Atomics.compareExchange(cells, 0, value[0], read[0]);
  }
  if (pairs === undefined) return;
  Atomics.store(pairs, 0, 0);
  Atomics.notify(pairs, 0, 1);
}

/** The instruction that executes `inner` in one step. */
export function lockedBy(inner: Execute): Execute {
  return (m: Machine, i: Instruction) => {
    const result = m.result;
    const carries = m.carries;
    m.beforeLocked.set(m.g32);
    m.locked = true;
    try {
      for (;;) {
        m.lost = false;
        inner(m, i);
        if (!m.lost) return;
        m.result = result;
        m.carries = carries;
        m.g32.set(m.beforeLocked);
      }
    } finally {
      m.locked = false;
    }
  };
}
