/** FNSTENV, FLDENV, FNSAVE, FRSTOR (Intel SDM 1, figures 8-9 to 8-12). */
import type { Instruction } from '../instruction.ts';
import type { Machine } from '../machine.ts';
import { bitsOf, ofBits, probe, read, write } from './operands.ts';
import { ALL_EXCEPTIONS } from './round.ts';
import { fullTags, initialize, readStack, setControl, setFullTags, setStatus, writeStack } from './unit.ts';

const REGISTERS = 8;
const REGISTER_BYTES = 10;
/** Seven fields: control, status, tags, instruction, its selector and opcode, operand, its selector. */
const FIELDS = 7;

const fieldBytes = (i: Instruction): number => (i.size === 2 ? 2 : 4);
const areaBytes = (i: Instruction): number => FIELDS * fieldBytes(i);

const UNUSED = 0xffff_0000n;
const low = (value: bigint, bits: number): bigint => BigInt.asUintN(bits, value);

/** Where the last instruction and its operand were: `Machine.fpLast` has the opcode below the address. */
interface Pointers {
  readonly opcode: bigint;
  readonly instruction: bigint;
  readonly data: bigint;
}

/** The last four fields. Without selectors, in real mode, they are linear addresses in two parts. */
function pointerFields(m: Machine, wide: boolean): bigint[] {
  const { opcode, instruction, data }: Pointers = {
    opcode: low(m.fpLast, 11),
    instruction: m.fpLast >> 16n,
    data: m.fpData,
  };
  if (!m.realSegments) {
    const selector = low(instruction >> 32n, 16);
    const dataSelector = low(data >> 32n, 16);
    if (!wide) return [low(instruction, 16), selector, low(data, 16), dataSelector];
    return [low(instruction, 32), selector | (opcode << 16n), low(data, 32), UNUSED | dataSelector];
  }
  const upper = wide ? UNUSED : 0n;
  const bits = wide ? 16 : 4;
  return [
    upper | low(instruction, 16),
    (low(instruction >> 16n, bits) << 12n) | opcode,
    upper | low(data, 16),
    low(data >> 16n, bits) << 12n,
  ];
}

function setPointers(m: Machine, fields: readonly bigint[], wide: boolean): void {
  const [first, second, third, fourth] = fields as [bigint, bigint, bigint, bigint];
  if (m.realSegments) {
    const join = (lower: bigint, upper: bigint): bigint => low(lower, 16) | ((upper >> 12n) << 16n);
    m.fpLast = (join(first, second) << 16n) | low(second, 11);
    m.fpData = join(third, fourth);
    return;
  }
  const opcode = wide ? low(second >> 16n, 11) : 0n;
  m.fpLast = ((first | (low(second, 16) << 32n)) << 16n) | opcode;
  m.fpData = third | (low(fourth, 16) << 32n);
}

export function storeEnvironment(m: Machine, i: Instruction): void {
  const bytes = fieldBytes(i);
  const upper = bytes === 4 ? UNUSED : 0n;
  const words = [m.fpControl, m.fpStatus, fullTags(m)].map((word) => upper | BigInt(word));
  const fields = [...words, ...pointerFields(m, bytes === 4)];
  const area = fields.reduceRight((value, field) => (value << BigInt(8 * bytes)) | field, 0n);
  write(m, i, areaBytes(i), area);
  setControl(m, m.fpControl | ALL_EXCEPTIONS);
}

export function loadEnvironment(m: Machine, i: Instruction): void {
  const bytes = fieldBytes(i);
  const area = read(m, i, areaBytes(i));
  const fields = Array.from({ length: FIELDS }, (_, n) => low(area >> BigInt(8 * bytes * n), 8 * bytes));
  const [control, status, tags] = fields.slice(0, 3).map((field) => Number(low(field, 16)));
  setStatus(m, status!);
  setControl(m, control!);
  setFullTags(m, tags!);
  setPointers(m, fields.slice(3), bytes === 4);
}

export function saveAll(m: Machine, i: Instruction): void {
  probe(m, i, areaBytes(i) + REGISTERS * REGISTER_BYTES);
  for (let n = 0; n < REGISTERS; n += 1)
    write(m, i, REGISTER_BYTES, bitsOf(readStack(m, n)), areaBytes(i) + n * REGISTER_BYTES);
  storeEnvironment(m, i);
  initialize(m);
}

export function restoreAll(m: Machine, i: Instruction): void {
  const values = Array.from({ length: REGISTERS }, (_, n) =>
    ofBits(read(m, i, REGISTER_BYTES, areaBytes(i) + n * REGISTER_BYTES)),
  );
  loadEnvironment(m, i);
  const tags = m.fpTags;
  values.forEach((value, n) => {
    writeStack(m, n, value);
  });
  m.fpTags = tags;
}
