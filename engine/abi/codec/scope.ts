import type { Condition, Field, StructLayout } from '../layout/layout.ts';
import type { BitField } from '../lookup/bit-fields.ts';

/** A struct in a buffer, and what it stands in: an enclosing struct, or the input of the call it answers. */
export interface Scope {
  readonly layout: StructLayout;
  readonly bytes: Uint8Array;
  readonly base: number;
  readonly outer: Scope | undefined;
}

/** An unsigned little-endian integer of up to 4 bytes or a multiple of 4; bytes that are not there count as 0. */
export function unsignedAt(bytes: Uint8Array, offset: number, size: number): bigint {
  if (size <= 4) return BigInt(smallAt(bytes, offset, size));
  let value = 0n;
  for (let i = size - 4; i >= 0; i -= 4) value = (value << 32n) | BigInt(smallAt(bytes, offset + i, 4));
  return value;
}

/** {@link unsignedAt} for at most 4 bytes. */
export function smallAt(bytes: Uint8Array, offset: number, size: number): number {
  let value = 0;
  for (let i = size - 1; i >= 0; i--) value = value * 256 + (bytes[offset + i] ?? 0);
  return value;
}

function memberValue(scope: Scope, field: Field, bit: BitField | undefined): bigint {
  const raw = unsignedAt(scope.bytes, scope.base + field.offset, field.size);
  return bit === undefined ? raw : BigInt.asUintN(bit.width, raw >> BigInt(bit.lsb));
}

function find(scope: Scope, name: string): bigint | undefined {
  for (const field of scope.layout.fields) {
    if (field.name === name) return memberValue(scope, field, undefined);
    const bit = field.bits.find((candidate) => candidate.name === name);
    if (bit !== undefined) return memberValue(scope, field, bit);
  }
  return undefined;
}

function holds(scope: Scope, condition: Condition): boolean {
  if (condition.kind === 'else') return false;
  let value: bigint | undefined;
  let at: Scope | undefined = condition.outer ? scope.outer : scope;
  while (at !== undefined && value === undefined) {
    value = find(at, condition.field);
    at = condition.outer ? at.outer : undefined;
  }
  if (value === undefined) return false;
  switch (condition.kind) {
    case 'equals':
      return value === condition.value;
    case 'shares':
      return (value & condition.value) !== 0n;
    case 'reaches':
      return value >= condition.value;
  }
}

/** Whether a field is the one that stands for its bytes: not an alternative, and its condition holds. */
export function isChosen(scope: Scope, field: Field): boolean {
  if (field.alternative) return false;
  if (field.when === undefined) return true;
  if (field.when.kind !== 'else') return holds(scope, field.when);
  return !scope.layout.fields.some((other) => other.when !== undefined && holds(scope, other.when));
}
