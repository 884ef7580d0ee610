/** What is compared of a processor: from QEMU's monitor, from engine/cpu, and where the two differ. */
import { registers } from '../../../engine/abi/index.ts';
import type { GuestCpu } from '../../../engine/cpu/index.ts';

const GENERAL = ['RAX', 'RCX', 'RDX', 'RBX', 'RSP', 'RBP', 'RSI', 'RDI'];
const EXTENDED = ['R8', 'R9', 'R10', 'R11', 'R12', 'R13', 'R14', 'R15'];
const SEGMENTS = ['ES', 'CS', 'SS', 'DS', 'FS', 'GS', 'LDTR', 'TR'];
const CONTROL = ['CR0', 'CR2', 'CR3', 'CR4', 'EFER', 'DR6', 'DR7'];

/** Values by name; of a segment its selector, base, limit and attributes as hv_x64_segment_register has them. */
export type State = ReadonlyMap<string, bigint>;

const U64 = 0xffffffffffffffffn;
const number = (name: string): number => registers.number(`HV_X64_REGISTER_${name}`);

/** 64-bit code runs: all of a register counts, and R8 to R15. */
const isLong = (state: State): boolean =>
  (state.get('EFER')! & 0x400n) !== 0n && (state.get('CS.attributes')! & 0x2000n) !== 0n;

function cutToMode(all: Map<string, bigint>): State {
  if (isLong(all)) return all;
  for (const name of [...GENERAL, 'RIP']) all.set(name, all.get(name)! & 0xffffffffn);
  for (const name of EXTENDED) all.delete(name);
  for (const name of all.keys()) if (name.endsWith('.base')) all.set(name, all.get(name)! & 0xffffffffn);
  return all;
}

export function stateOfGuest(cpu: GuestCpu): State {
  const all = new Map<string, bigint>();
  const get = (name: string): bigint => cpu.getRegister(number(name));
  for (const name of [...GENERAL, ...EXTENDED, ...CONTROL, 'RIP']) all.set(name, get(name));
  all.set('RFLAGS', get('RFLAGS'));
  for (const name of SEGMENTS) {
    const value = get(name);
    all.set(`${name}.selector`, (value >> 96n) & 0xffffn);
    all.set(`${name}.base`, value & U64);
    all.set(`${name}.limit`, (value >> 64n) & 0xffffffffn);
    all.set(`${name}.attributes`, value >> 112n);
  }
  for (const name of ['GDTR', 'IDTR']) {
    const value = get(name);
    all.set(`${name}.base`, value >> 64n);
    all.set(`${name}.limit`, (value >> 48n) & 0xffffn);
  }
  return cutToMode(all);
}

const word = (text: string | undefined): bigint => BigInt(`0x${text ?? 'missing'}`);

/** Reads "info registers" of QEMU's monitor (QEMU target/i386/cpu-dump.c). */
export function stateOfMonitor(text: string): State {
  const all = new Map<string, bigint>();
  const value = (name: string): bigint => word(new RegExp(`\\b${name}\\s*=([0-9a-f]+)`).exec(text)?.[1]);
  const long = /\bRAX=/.test(text);
  for (const name of GENERAL) all.set(name, value(long ? name : `E${name.slice(1)}`));
  for (const name of EXTENDED)
    all.set(name, long ? value(name === 'R8' || name === 'R9' ? `${name} ` : name) : 0n);
  all.set('RIP', value(long ? 'RIP' : 'EIP'));
  all.set('RFLAGS', value(long ? 'RFL' : 'EFL'));
  for (const name of CONTROL) all.set(name, value(name));
  for (const name of SEGMENTS) {
    const short = name === 'LDTR' ? 'LDT' : name;
    const parts = new RegExp(`^${short}\\s*=([0-9a-f]+) ([0-9a-f]+) ([0-9a-f]+) ([0-9a-f]+)`, 'm').exec(text);
    all.set(`${name}.selector`, word(parts?.[1]));
    all.set(`${name}.base`, word(parts?.[2]));
    all.set(`${name}.limit`, word(parts?.[3]));
    all.set(`${name}.attributes`, (word(parts?.[4]) >> 8n) & 0xf0ffn);
  }
  for (const name of ['GDTR', 'IDTR']) {
    const parts = new RegExp(`^${name.slice(0, 3)}=\\s*([0-9a-f]+) ([0-9a-f]+)`, 'm').exec(text);
    all.set(`${name}.base`, word(parts?.[1]));
    all.set(`${name}.limit`, word(parts?.[2]));
  }
  return cutToMode(all);
}

/**
 * Bits that TCG sets in the descriptor, or should, and not in what it keeps of it (QEMU target/i386/tcg/seg_helper.c): LTR
 * and a task switch mark it busy, a far transfer and a task switch accessed.
 */
const NOT_KEPT: ReadonlyMap<string, bigint> = new Map([
  ['TR.attributes', 2n],
  ...['ES', 'CS', 'SS', 'DS', 'FS', 'GS'].map((name): [string, bigint] => [`${name}.attributes`, 1n]),
]);

const PRESENT = 0x80n;

/** What is left of a data segment that a return to an outer level has emptied is nobody's business. */
function bothEmpty(qemu: State, guest: State, [segment = '', part]: readonly string[]): boolean {
  if (part === 'selector') return false;
  const empty = (state: State): boolean => (state.get(`${segment}.selector`)! & 0xfffcn) === 0n;
  // TCG leaves what was there, or writes what it does without.
  if (segment === 'LDTR' || (segment === 'SS' && isLong(guest))) return empty(qemu) && empty(guest);
  if (!['DS', 'ES', 'FS', 'GS'].includes(segment)) return false;
  return [qemu, guest].every((state) => (state.get(`${segment}.attributes`)! & PRESENT) === 0n);
}

/** The names that differ, but for those of `ignored`, with both values. Bits of `undefinedFlags` do not count. */
export function stateDifference(
  qemu: State,
  guest: State,
  ignored: ReadonlySet<string>,
  undefinedFlags: number,
): string[] {
  const found: string[] = [];
  for (const [name, value] of qemu) {
    if (ignored.has(name) || (name.includes('.') && bothEmpty(qemu, guest, name.split('.')))) continue;
    const mask = name === 'RFLAGS' ? BigInt(~undefinedFlags >>> 0) : U64 & ~(NOT_KEPT.get(name) ?? 0n);
    const other = guest.get(name);
    if (other === undefined || ((value ^ other) & mask) !== 0n)
      found.push(`${name}: QEMU ${value.toString(16)}, here ${other?.toString(16)}`);
  }
  return found;
}
