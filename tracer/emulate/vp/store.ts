import type { CpuExit } from '../../../engine/cpu/index.ts';

/** Prefixes that do not change that an instruction is a store: segments, operand and address size, LOCK. */
const PREFIXES: ReadonlySet<number> = new Set([0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0]);
/** MOV to memory (Intel SDM 2, MOV): of registers, of AL and EAX, of immediates. */
const STORES: ReadonlySet<number> = new Set([0x88, 0x89, 0xa2, 0xa3, 0xc6, 0xc7]);

/** A store that memory did not take. */
export interface Stored {
  readonly gpa: bigint;
  readonly bytes: number;
  readonly value: bigint;
}

/** What an exit was to store, where that is all its instruction does: others (PUSH, STOS) do more, which a skip would lose. */
export function storedBy(exit: CpuExit): Stored | undefined {
  if (exit.kind !== 'memory' || exit.value === undefined) return undefined;
  const opcode = exit.instructionBytes.find((byte) => !PREFIXES.has(byte));
  if (opcode === undefined || !STORES.has(opcode)) return undefined;
  return { gpa: BigInt(exit.gpa), bytes: exit.size, value: exit.value };
}
