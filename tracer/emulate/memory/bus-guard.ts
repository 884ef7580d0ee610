import { libc, syscall, viewOf } from '../../native/libc.ts';
import { MMAP, NR } from '../../native/numbers.ts';

/**
 * A file that backs guest memory may become smaller, by whoever has it open: an access behind its end is SIGBUS, and Node has nothing for
 * that. So this process has a handler, in machine code: it puts a page of zeros there, notes which, and the access goes on. Nothing
 * is done, or looked at, on the way of an access that succeeds. Elsewhere SIGBUS ends the process as before.
 *
 * One block of memory: the code; then the table: how many ranges there are, how many pages were lost, the ranges (first address and the one
 * behind it), the last pages lost; then a struct sigaction for SIG_DFL.
 */
const PAGE_BYTES = 4096;
const RANGES = 4096;
/** A power of two. */
const LOG = 64;
const TABLE_AT = PAGE_BYTES;
const HEAD_BYTES = 16;
const LOG_AT = HEAD_BYTES + 16 * RANGES;
const DEFAULT_AT = TABLE_AT + LOG_AT + 8 * LOG;
const BLOCK_BYTES = DEFAULT_AT + PAGE_BYTES;

const SIGBUS = 7;
const SA_SIGINFO = 4;
/** The C library's struct sigaction. */
const ACTION = { bytes: 152, handler: 0, flags: 136 };
const PROT_EXEC = 4;
const PRIVATE = 2;

const sigaction = libc.func('int sigaction(int number, void *action, void *before)') as (
  number: number,
  action: Uint8Array,
  before: null,
) => number;

const bytes = (text: string): number[] => text.split(' ').map((byte) => Number.parseInt(byte, 16));

function word(value: number, length: number): number[] {
  return Array.from({ length }, (_, index) => Number((BigInt(value) >> BigInt(8 * index)) & 0xffn));
}

/** The handler: (number, siginfo, context). System calls do not need a library. */
function handlerCode(table: number, byDefault: number): number[] {
  return [
    ...bytes('4c 8b 46 10'), // mov r8, [rsi+16]: si_addr
    ...[...bytes('49 b9'), ...word(table, 8)], // mov r9, table
    ...bytes('49 8b 09'), // mov rcx, [r9]: ranges
    ...bytes('48 ff c9'), // next: dec rcx
    ...bytes('78 60'), // js none
    ...bytes('49 83 c1 10'), // add r9, 16
    ...bytes('4d 3b 01'), // cmp r8, [r9]
    ...bytes('72 f2'), // jb next
    ...bytes('4d 3b 41 08'), // cmp r8, [r9+8]
    ...bytes('73 ec'), // jae next
    ...[...bytes('49 b9'), ...word(table, 8)], // mov r9, table
    ...bytes('b8 01 00 00 00'), // mov eax, 1
    ...bytes('f0 49 0f c1 41 08'), // lock xadd [r9+8], rax: one page more
    ...[...bytes('83 e0'), LOG - 1], // and eax, LOG - 1
    ...bytes('49 81 e0 00 f0 ff ff'), // and r8, -4096
    ...[...bytes('4d 89 84 c1'), ...word(LOG_AT, 4)], // mov [r9+8*rax+LOG_AT], r8
    ...bytes('4c 89 c7'), // mov rdi, r8
    ...bytes('be 00 10 00 00'), // mov esi, 4096
    ...bytes('ba 03 00 00 00'), // mov edx, PROT_READ | PROT_WRITE
    ...bytes('41 ba 32 00 00 00'), // mov r10d, MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS
    ...bytes('49 c7 c0 ff ff ff ff'), // mov r8, -1
    ...bytes('45 31 c9'), // xor r9d, r9d
    ...bytes('b8 09 00 00 00'), // mov eax, mmap
    ...bytes('0f 05'), // syscall
    ...bytes('48 85 c0'), // test rax, rax
    ...bytes('78 01'), // js none
    ...bytes('c3'), // ret
    ...bytes('b8 0d 00 00 00'), // none: mov eax, rt_sigaction
    ...bytes('bf 07 00 00 00'), // mov edi, SIGBUS
    ...[...bytes('48 be'), ...word(byDefault, 8)], // mov rsi, SIG_DFL
    ...bytes('31 d2'), // xor edx, edx
    ...bytes('41 ba 08 00 00 00'), // mov r10d, 8
    ...bytes('0f 05'), // syscall
    ...bytes('c3'), // ret: the access is made again, and ends the process
  ];
}

interface Guard {
  readonly table: DataView;
  readonly free: number[];
  /** Pages lost that were told. */
  told: number;
}

let guard: Guard | undefined;

function install(): Guard {
  const address = syscall(NR.mmap, 0, BLOCK_BYTES, MMAP.readWrite, PRIVATE | MMAP.anonymous, -1, 0);
  if (address < 0) throw new Error(`no memory for the handler of SIGBUS: errno ${-address}`);
  const block = viewOf(address, BLOCK_BYTES);
  block.set(handlerCode(address + TABLE_AT, address + DEFAULT_AT));
  const made = syscall(NR.mprotect, address, PAGE_BYTES, MMAP.readWrite | PROT_EXEC);
  if (made < 0) throw new Error(`the handler of SIGBUS cannot be executed: errno ${-made}`);
  const action = new Uint8Array(new ArrayBuffer(ACTION.bytes));
  const view = new DataView(action.buffer);
  view.setBigUint64(ACTION.handler, BigInt(address), true);
  view.setInt32(ACTION.flags, SA_SIGINFO, true);
  sigaction(SIGBUS, action, null);
  const table = new DataView(block.buffer, block.byteOffset + TABLE_AT, DEFAULT_AT - TABLE_AT);
  return { table, free: Array.from({ length: RANGES }, (_, index) => RANGES - 1 - index), told: 0 };
}

function setRange({ table }: Guard, index: number, from: number, to: number): void {
  const at = HEAD_BYTES + 16 * index;
  table.setBigUint64(at + 8, BigInt(to), true);
  table.setBigUint64(at, BigInt(from), true);
}

/**
 * Guards a range of this process's memory that stands for a file; what is given back ends that, before the range is unmapped. Where RANGES
 * of them are guarded already, one more is not: SIGBUS there ends the process.
 */
export function guardRange(address: number, length: number): () => void {
  guard ??= install();
  const own = guard;
  const index = own.free.pop();
  if (index === undefined) return () => {};
  setRange(own, index, address, address + length);
  const count = own.table.getBigUint64(0, true);
  if (BigInt(index) >= count) own.table.setBigUint64(0, BigInt(index + 1), true);
  return () => {
    setRange(own, index, 0, 0);
    own.free.push(index);
  };
}

/** Addresses of pages that were lost since this was last asked, the last ones where they are many. */
export function lostPages(): number[] {
  if (guard === undefined) return [];
  const { table } = guard;
  const lost = table.getUint32(8, true);
  if (lost === guard.told) return [];
  const first = Math.max(guard.told, lost - LOG);
  guard.told = lost;
  return Array.from({ length: lost - first }, (_, index) =>
    Number(table.getBigUint64(LOG_AT + 8 * ((first + index) % LOG), true)),
  );
}
