import type { DecodedField, DecodedStruct } from '../abi/codec/decoded.ts';
import { flagNames, namesOf } from '../abi/codec/integer-text.ts';
import { unsignedAt } from '../abi/codec/scope.ts';
import { type Display, type FlagSet, hexOfBytes } from '../abi/index.ts';
import { GUID_BYTES, guidOf } from '../abi/text.ts';
import type { PayloadStep } from './table.ts';
import type { FieldValue } from './value.ts';

/**
 * What stands at `path` in a decoded struct: numbers with their names, bytes as hex text without the zeros at
 * their end. Of members that share bytes only the one that stands for them is there. A member of a list is that
 * member of each element. Empty where the path leads nowhere.
 */
export function valuesAt(struct: DecodedStruct, path: readonly PayloadStep[]): FieldValue[] {
  const found: FieldValue[] = [];
  intoStruct(struct, path, found);
  return found;
}

function intoStruct(struct: DecodedStruct, path: readonly PayloadStep[], found: FieldValue[]): void {
  const { layout, bytes, fields } = struct;
  const [step, ...rest] = path;
  if (step === undefined) {
    found.push(layout.form === 'integer' ? unsignedAt(bytes, 0, layout.size) : hexText(bytes));
    return;
  }
  for (const field of fields) {
    if (field.name === step && field.chosen) intoField(field, rest, found);
    // The event text writes the members of a message's header beside its payload.
    const isHeader = layout.form === 'message' && field.name === 'header' && step !== 'header';
    if (isHeader && field.value.kind === 'struct') intoStruct(field.value.struct, path, found);
  }
}

function intoField(field: DecodedField, path: readonly PayloadStep[], found: FieldValue[]): void {
  const { value, display } = field;
  const [step, ...rest] = path;
  switch (value.kind) {
    case 'integer':
      if (step === undefined) found.push(namedNumber(value.value, display));
      break;
    case 'struct':
      intoStruct(value.struct, path, found);
      break;
    case 'array': {
      const { elements } = value;
      if (typeof step === 'number')
        for (const one of elements.slice(step, step + 1)) intoField(one, rest, found);
      else for (const one of elements) intoField(one, step === '*' ? rest : path, found);
      break;
    }
    case 'bytes':
      if (step === undefined) found.push(runText(value.bytes, display));
      else if (step === '*' && rest.length === 0) found.push(...value.bytes);
      else if (typeof step === 'number' && rest.length === 0)
        found.push(...value.bytes.subarray(step, step + 1));
      break;
    case 'partial':
      break;
  }
}

/** A run of bytes as the event text has it. */
function runText(bytes: Uint8Array, display: Display): string {
  return display === 'guid' && bytes.length === GUID_BYTES ? guidOf(bytes) : hexText(bytes);
}

function hexText(bytes: Uint8Array): string {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end -= 1;
  return hexOfBytes(bytes.subarray(0, end));
}

/** A number with the names that its display gives it. */
export function namedNumber(value: number | bigint, display: Display): FieldValue {
  const names = namesOf(display);
  if (names === undefined) return value;
  const big = BigInt(value);
  if ('kind' in names) return flagWord(big, names);
  const row = big <= 0xffff_ffffn ? names.find(Number(big)) : undefined;
  return {
    value: big,
    names: row === undefined ? [] : [row.name],
    called: (name) => row !== undefined && names.named(name)?.value === row.value,
  };
}

function flagWord(value: bigint, set: FlagSet): FieldValue {
  const known = set.rows.reduce((mask, row) => mask | row.mask, 0n);
  return {
    value,
    names: flagNames(set, value & known) ?? [],
    called(name) {
      const flag = set.named.get(name);
      if (flag === undefined) return false;
      const { mask } = flag;
      // Some bits may together choose one of several values, of which 0 may be one.
      const choice = set.choices.find((one) => one.values.includes(flag));
      if (choice !== undefined) return (value & choice.mask) === mask;
      return mask === 0n ? value === 0n : (value & mask) === mask;
    },
  };
}
