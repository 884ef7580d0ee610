import { fieldOf, type IoctlRow, readU32, readU64, sizeOfStruct } from '../../engine/abi/index.ts';
import type { IoctlOut } from '../../engine/trace/event.ts';
import { type ClientMemory, MAX_TRANSFER, type Piece } from './client-memory.ts';

/** What the pointers of an argument lead to. */
type Find = (arg: Uint8Array) => readonly Piece[];

const pointerAt = (struct: string, name: string) => {
  const field = fieldOf(struct, name);
  return (arg: Uint8Array) => Number(readU64(arg, field));
};
const countAt = (struct: string, name: string) => {
  const field = fieldOf(struct, name);
  return (arg: Uint8Array) => readU32(arg, field);
};

function buffer(struct: string, pointer: string, length: string): Find {
  const [at, bytes] = [pointerAt(struct, pointer), countAt(struct, length)];
  return (arg) => [{ pointer: at(arg), length: bytes(arg) }];
}

const NAME_BYTES = 4;
const VALUE_BYTES = 16;
const registerCount = countAt('rfc2020_mshv_vp_registers', 'count');
const registerNames = pointerAt('rfc2020_mshv_vp_registers', 'names');
const registerValues = pointerAt('rfc2020_mshv_vp_registers', 'values');
const names = (arg: Uint8Array) => ({
  pointer: registerNames(arg),
  length: registerCount(arg) * NAME_BYTES,
});
const values = (arg: Uint8Array) => ({
  pointer: registerValues(arg),
  length: registerCount(arg) * VALUE_BYTES,
});

const hypercallIn = buffer('mshv_root_hvcall', 'in_ptr', 'in_sz');
const state = buffer('mshv_get_set_vp_state', 'buf_ptr', 'buf_sz');
const rfcState = buffer('rfc2020_mshv_vp_state', 'buf', 'buf_size');
const bitmapAt = pointerAt('mshv_gpap_access_bitmap', 'bitmap_ptr');
const bitmapPages = fieldOf('mshv_gpap_access_bitmap', 'page_count');
const BITS = 8;
const bitmap: Find = (arg) => [
  { pointer: bitmapAt(arg), length: Math.ceil(Number(readU64(arg, bitmapPages)) / BITS) },
];

/** What a call reads behind the pointers of its argument, one after the other; by name, both dialects. */
const INPUTS: Readonly<Record<string, Find>> = {
  'upstream MSHV_ROOT_HVCALL': hypercallIn,
  'upstream MSHV_SET_VP_STATE': state,
  'rfc2020 MSHV_SET_VP_STATE': rfcState,
  'rfc2020 MSHV_GET_VP_REGISTERS': (arg) => [names(arg)],
  'rfc2020 MSHV_SET_VP_REGISTERS': (arg) => [names(arg), values(arg)],
};

/** Where a call puts what it gives back, and how much of it at most. */
const OUTPUTS: Readonly<Record<string, Find>> = {
  'upstream MSHV_ROOT_HVCALL': buffer('mshv_root_hvcall', 'out_ptr', 'out_sz'),
  'upstream MSHV_GET_VP_STATE': state,
  'upstream MSHV_GET_GPAP_ACCESS_BITMAP': bitmap,
  'rfc2020 MSHV_GET_VP_STATE': rfcState,
  'rfc2020 MSHV_GET_VP_REGISTERS': (arg) => [values(arg)],
};

const PT_FLAGS = fieldOf('mshv_create_partition', 'pt_flags');
const FEATURES_GIVEN = 1n << 3n;
const routes = countAt('mshv_user_irq_table', 'nr');
/** MSHV_MAX_GUEST_IRQS: more are refused before they are read. */
const MAX_ROUTES = 4096;

/** How long the argument is, where its beginning says so. */
const LENGTHS: Readonly<Record<string, (arg: Uint8Array) => number>> = {
  'upstream MSHV_CREATE_PARTITION': (arg) =>
    (readU64(arg, PT_FLAGS) & FEATURES_GIVEN) === 0n ? arg.length : sizeOfStruct('mshv_create_partition_v2'),
  'upstream MSHV_SET_MSI_ROUTING': (arg) =>
    routes(arg) > MAX_ROUTES ? arg.length : arg.length + routes(arg) * sizeOfStruct('mshv_user_irq_entry'),
};

/** What the driver gets to see of a call's memory; absent what cannot be read (EFAULT). */
export interface CallBytes {
  readonly arg?: Uint8Array;
  readonly in?: Uint8Array;
}

/**
 * Where the input of a call was the last time: a program mostly uses the same buffer again, and then argument and input
 * come in one system call. Where it does not, what was read in vain is dropped.
 */
const lastInputs = new Map<IoctlRow, Piece>();

const keyOf = (row: IoctlRow) => `${row.dialect} ${row.name}`;

/** Reads the argument of a call and what it points to. */
export function readCall(memory: ClientMemory, pid: number, row: IoctlRow, pointer: number): CallBytes {
  const isRead = row.direction === 'W' || row.direction === 'RW';
  if (!isRead || row.size === undefined || row.size === 0) return {};
  const last = lastInputs.get(row);
  const both = last === undefined ? undefined : memory.readBoth(pid, { pointer, length: row.size }, last);
  const head = both?.[0] ?? memory.read(pid, pointer, row.size);
  if (head === undefined) return {};
  const key = keyOf(row);
  const length = LENGTHS[key]?.(head) ?? head.length;
  // The rest not being there is another failure than the head not being there: the driver looks at the head first.
  const arg = length === head.length ? head : (memory.read(pid, pointer, length) ?? head);
  const input = INPUTS[key];
  if (input === undefined) return { arg };
  const buffers = input(arg);
  const [first] = buffers;
  if (buffers.length === 1 && first !== undefined && first.length > 0) {
    if (both !== undefined && first.pointer === last?.pointer && first.length === last.length)
      return { arg, in: both[1] };
    lastInputs.set(row, first);
  }
  const bytes = readAll(memory, pid, buffers);
  return bytes === undefined ? { arg } : { arg, in: bytes };
}

function readAll(memory: ClientMemory, pid: number, buffers: readonly Piece[]): Uint8Array | undefined {
  const [first, second] = buffers;
  if (first === undefined || buffers.some(({ length }) => length > MAX_TRANSFER)) return undefined;
  const one = memory.read(pid, first.pointer, first.length);
  if (one === undefined || second === undefined) return one;
  const two = memory.read(pid, second.pointer, second.length);
  if (two === undefined) return undefined;
  const both = new Uint8Array(one.length + two.length);
  both.set(one);
  both.set(two, one.length);
  return both;
}

/** Gives the caller what the call came to. False where its memory does not take it (EFAULT). */
export function writeCall(
  memory: ClientMemory,
  pid: number,
  row: IoctlRow,
  pointer: number,
  arg: Uint8Array | undefined,
  out: IoctlOut,
): boolean {
  let written = true;
  if (out.data !== undefined) {
    const [target] = arg === undefined ? [] : (OUTPUTS[keyOf(row)]?.(arg) ?? []);
    const at = row.out === 'message' ? pointer : target?.pointer;
    if (at !== undefined) written = memory.write(pid, at, out.data);
  }
  if (out.arg !== undefined) written = memory.write(pid, pointer, out.arg) && written;
  return written;
}

/**
 * Reads what a call that came to `ret` has given back, where the argument was `arg` at its beginning. A call that failed
 * may still have written to its argument; it gives back nothing else. Of a buffer all is read: the argument may say afterwards
 * how much of it is filled, or how much is needed (MSHV_GET_VP_STATE, whose pages the hypervisor writes to).
 */
export function readAnswer(
  memory: ClientMemory,
  pid: number,
  row: IoctlRow,
  pointer: number,
  arg: Uint8Array | undefined,
  ret: number,
): IoctlOut | undefined {
  if (row.out === 'message') return ret < 0 ? undefined : present(memory.read(pid, pointer, row.size ?? 0));
  if (arg === undefined) return undefined;
  const written = row.writesBack.length > 0 ? memory.read(pid, pointer, arg.length) : undefined;
  const after = written !== undefined && (ret >= 0 || !isSame(written, arg)) ? written : undefined;
  const data = ret < 0 ? undefined : readOutput(memory, pid, row, arg);
  if (after === undefined) return present(data);
  return data === undefined ? { arg: after } : { arg: after, data };
}

function readOutput(
  memory: ClientMemory,
  pid: number,
  row: IoctlRow,
  arg: Uint8Array,
): Uint8Array | undefined {
  const pieces = (OUTPUTS[keyOf(row)]?.(arg) ?? []).filter(({ pointer }) => pointer !== 0);
  return pieces.length === 0 ? undefined : readAll(memory, pid, pieces);
}

function present(data: Uint8Array | undefined): IoctlOut | undefined {
  return data === undefined ? undefined : { data };
}

function isSame(one: Uint8Array, two: Uint8Array): boolean {
  return one.length === two.length && one.every((byte, index) => byte === two[index]);
}
