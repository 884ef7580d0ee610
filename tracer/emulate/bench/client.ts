import { writeFileSync } from 'node:fs';
import koffi from 'koffi';
import { residentKib } from '../../process/proc.ts';

/**
 * The program that is measured: `client.ts ROUNDS GUEST RESULT`. Makes hypercalls with a payload, then lets a guest
 * exit again and again, and writes what it measured as JSON. Where opening the device fails (the bare loop), only the calls.
 */

const libc = koffi.load('libc.so.6');
const open = libc.func('int open(const char *path, int flags)') as (path: string, flags: number) => number;
const ioctl = libc.func('ioctl', 'int', ['int', 'ulong', 'void *']) as (
  fd: number,
  request: number,
  argument: Uint8Array,
) => number;
const mmap = libc.func('void *mmap(void *at, size_t length, int prot, int flags, int fd, long offset)') as (
  ...args: [null, number, number, number, number, number]
) => bigint;

export interface Measured {
  readonly p50Us: number;
  readonly p99Us: number;
  readonly perSecond: number;
}

export interface ClientResult {
  /** An ioctl that the kernel refuses at once. */
  readonly plain: Measured;
  readonly call: Measured;
  /** MSHV_RUN_VP alone. */
  readonly exit?: Measured;
  /** The first of them, which V8 has compiled little of. */
  readonly firstExits?: Measured;
  /** The most memory that the process took which started this one. */
  readonly parentKiB: number;
}

const REQUEST = {
  createPartition: 0x4010b800,
  initialize: 0xb800,
  createVp: 0x4004b801,
  setGuestMemory: 0x4020b802,
  /** TCGETS, on what is no terminal. */
  plain: 0x5401,
  rootHvcall: 0xc020b807,
  runVp: 0x8100b800,
};
const SET_VP_REGISTERS = 0x51;
const RAX = 0x20000;
const RIP = 0x20010;
const RESET_PAGE = 0xfffff;
/** The guest has so much memory besides, from 0 on, all of it written once. */
const MEMORY_BYTES = 64 << 20;
const PAGE_BYTES = 4096;
const RESET_OFFSET = 0xff0;
/** again: out 0x80, al; jmp again (real mode, at the reset vector) */
const CODE = [0xe6, 0x80, 0xeb, 0xfc];
const OUT_BYTES = 2n;

const outside = (length: number) => new Uint8Array(new ArrayBuffer(length));
const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer as ArrayBuffer);

function measure(rounds: number, times: readonly number[], totalMs: number): Measured {
  const sorted = Float64Array.from(times).sort();
  return {
    p50Us: (sorted[rounds >> 1] ?? 0) * 1000,
    p99Us: (sorted[Math.floor(rounds * 0.99)] ?? 0) * 1000,
    perSecond: (rounds / totalMs) * 1000,
  };
}

function repeat(rounds: number, what: () => void, between: () => void = () => {}): Measured {
  const times: number[] = [];
  const began = performance.now();
  for (let i = 0; i < rounds; i++) {
    const start = performance.now();
    what();
    times.push(performance.now() - start);
    between();
  }
  return measure(rounds, times, performance.now() - began);
}

/** One HVCALL_SET_VP_REGISTERS: 32 bytes of argument, 48 of input. */
function setRegister(fd: number): (name: number, value: bigint) => void {
  const input = outside(48);
  const argument = outside(32);
  const [inputView, view] = [viewOf(input), viewOf(argument)];
  view.setUint16(0, SET_VP_REGISTERS, true);
  view.setUint16(4, input.length, true);
  view.setBigUint64(16, koffi.address(input), true);
  return (name, value) => {
    view.setUint16(2, 1, true);
    view.setUint16(8, 0, true);
    inputView.setUint32(16, name, true);
    inputView.setBigUint64(32, value, true);
    if (ioctl(fd, REQUEST.rootHvcall, argument) < 0) throw new Error(`errno ${koffi.errno()}`);
  };
}

function makeVp(device: number): number {
  const partition = ioctl(device, REQUEST.createPartition, outside(16));
  ioctl(partition, REQUEST.initialize, outside(1));
  giveMemory(partition, RESET_PAGE, PAGE_BYTES).set(CODE, RESET_OFFSET);
  const memory = giveMemory(partition, 0, MEMORY_BYTES);
  for (let at = 0; at < MEMORY_BYTES; at += PAGE_BYTES) memory[at] = 1;
  return ioctl(partition, REQUEST.createVp, outside(4));
}

/** Memory for the guest from a page on. */
function giveMemory(partition: number, page: number, bytes: number): Uint8Array {
  const address = mmap(null, bytes, 3, 0x21, -1, 0);
  const region = outside(32);
  const view = viewOf(region);
  view.setBigUint64(0, BigInt(bytes), true);
  view.setBigUint64(8, BigInt(page), true);
  view.setBigUint64(16, address, true);
  view.setUint8(24, 3);
  if (ioctl(partition, REQUEST.setGuestMemory, region) < 0) throw new Error(`errno ${koffi.errno()}`);
  return new Uint8Array(koffi.view(address, bytes));
}

/** Many functions take part in an exit, each of them a few times: V8 has compiled them all after some 20,000. */
const WARM_EXITS = 20_000;

function exits(vp: number, rounds: number): Pick<ClientResult, 'exit' | 'firstExits'> {
  const message = outside(256);
  const view = viewOf(message);
  const set = setRegister(vp);
  const run = () => {
    if (ioctl(vp, REQUEST.runVp, message) < 0) throw new Error(`errno ${koffi.errno()}`);
  };
  const step = () => set(RIP, view.getBigUint64(16 + 24, true) + OUT_BYTES);
  run();
  step();
  const firstExits = repeat(Math.ceil(rounds / 10), run, step);
  for (let i = 0; i < Math.min(rounds, WARM_EXITS); i++) {
    run();
    step();
  }
  return { exit: repeat(rounds, run, step), firstExits };
}

const [rounds, result] = [Number(process.argv[2]), process.argv[3] as string];
const device = open('/dev/mshv', 2);
const vp = device < 0 ? open('/dev/null', 2) : makeVp(device);
const set = setRegister(vp);
const warm = Math.ceil(rounds / 10);
for (let i = 0; i < warm; i++) set(RAX, 1n);
const call = repeat(rounds, () => set(RAX, 1n));
const nowhere = outside(64);
const plain = repeat(rounds, () => void ioctl(vp, REQUEST.plain, nowhere));
const exit = device < 0 ? {} : exits(vp, Math.ceil(rounds / 4));
const measured: ClientResult = { plain, call, ...exit, parentKiB: residentKib(process.ppid, 'most') ?? 0 };
writeFileSync(result, JSON.stringify(measured));
