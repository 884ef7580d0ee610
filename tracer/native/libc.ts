import koffi from 'koffi';

/** The C library of the process; every worker loads it for itself. */
export const libc = koffi.load('libc.so.6');

type Syscall4 = (nr: number, a: number, b: number, c: number) => number | bigint;
type Syscall5 = (nr: number, a: number, b: number, c: number, d: number) => number | bigint;
type Syscall7 = (
  nr: number,
  a: number,
  b: number,
  c: number,
  d: number,
  e: number,
  f: number,
) => number | bigint;

const LONG = 'long';
// syscall() is variadic in C; for integer arguments the calling convention is the same, and this way is faster.
const four = libc.func('syscall', LONG, [LONG, LONG, LONG, LONG]) as Syscall4;
const five = libc.func('syscall', LONG, [LONG, LONG, LONG, LONG, LONG]) as Syscall5;
const seven = libc.func('syscall', LONG, [LONG, LONG, LONG, LONG, LONG, LONG, LONG]) as Syscall7;

/** A system call of at most three arguments; a failure is the negative errno. Addresses are numbers. */
export function syscall3(nr: number, a: number, b: number, c: number): number {
  const result = Number(four(nr, a, b, c));
  return result === -1 ? -koffi.errno() : result;
}

/** A system call of at most four arguments; see {@link syscall}. */
export function syscall4(nr: number, a: number, b: number, c: number, d: number): number {
  const result = Number(five(nr, a, b, c, d));
  return result === -1 ? -koffi.errno() : result;
}

/** A system call; a failure is the negative errno. Addresses are numbers: those of user space are below 2^53. */
export function syscall(nr: number, a = 0, b = 0, c = 0, d = 0, e = 0, f = 0): number {
  const result = Number(seven(nr, a, b, c, d, e, f));
  return result === -1 ? -koffi.errno() : result;
}

/** Where bytes stand. The caller keeps the bytes alive for as long as the address is used. */
export function addressOf(bytes: Uint8Array): number {
  return Number(koffi.address(bytes));
}

/** Bytes of this process's memory that something else than JavaScript allocated. */
export function viewOf(address: number, length: number): Uint8Array {
  return new Uint8Array(koffi.view(BigInt(address), length));
}
