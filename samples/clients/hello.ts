import { readFileSync, writeSync } from 'node:fs';
import koffi from 'koffi';

/**
 * Runs a guest program on /dev/mshv and prints what it writes to its serial port: hello.c in TypeScript, with the
 * calls made through koffi. `node hello.ts GUEST`; exits with 0 when the guest halts.
 */

const libc = koffi.load('libc.so.6');
const open = libc.func('int open(const char *path, int flags)') as (path: string, flags: number) => number;
const close = libc.func('int close(int fd)') as (fd: number) => number;
const ioctl = libc.func('ioctl', 'int', ['int', 'ulong', 'void *']) as (
  fd: number,
  request: number,
  argument: Uint8Array | null,
) => number;
const mmap = libc.func('void *mmap(void *at, size_t length, int prot, int flags, int fd, long offset)') as (
  at: null,
  length: number,
  prot: number,
  flags: number,
  fd: number,
  offset: number,
) => bigint;

/** Linux 7.2 include/uapi/linux/mshv.h. */
const REQUEST = {
  createPartition: 0x4010b800,
  initialize: 0xb800,
  createVp: 0x4004b801,
  setGuestMemory: 0x4020b802,
  rootHvcall: 0xc020b807,
  runVp: 0x8100b800,
};
const HVCALL = { installIntercept: 0x4d, setVpRegisters: 0x51 };
const INTERCEPT = { msr: 1, cpuid: 2 };
const MEMORY = { writable: 1, executable: 2, unmap: 4 };

/** Linux 7.2 include/hyperv. */
const REGISTER = {
  rax: 0x20000,
  rcx: 0x20001,
  rdx: 0x20002,
  rbx: 0x20003,
  rsp: 0x20004,
  rip: 0x20010,
  rflags: 0x20011,
  cs: 0x60001,
};
const MESSAGE = {
  unmappedGpa: 0x80000000,
  gpaIntercept: 0x80000001,
  ioPort: 0x80010000,
  msr: 0x80010001,
  cpuid: 0x80010002,
  halt: 0x80010007,
};
const PAYLOAD = 16;
const MESSAGE_BYTES = 256;
const WRITE = 1;

const GUEST_BYTES = 0x10000;
const GUEST_ENTRY = 0x7c00;
const SERIAL_PORT = 0x3f8;
const DEVICE = { gpa: 0xd0000n, value: 0x2a };
const LEAF = { index: 0x40000010, ebx: 0x6c6c6548 };
const MSR = { index: 0x400000ff, value: 0x2e52534d };

type Register = readonly [name: number, low: bigint, high?: bigint];

/** Memory outside the JavaScript heap: the driver is given its address. */
function outside(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new ArrayBuffer(length));
}

function structure(length: number, fill: (view: DataView) => void): Uint8Array<ArrayBuffer> {
  const bytes = outside(length);
  fill(new DataView(bytes.buffer));
  return bytes;
}

function call(what: string, fd: number, request: number, argument: Uint8Array | null): number {
  const result = ioctl(fd, request, argument);
  if (result < 0) throw new Error(`${what}: errno ${koffi.errno()}`);
  return result;
}

function hypercall(what: string, fd: number, code: number, reps: number, input: Uint8Array): void {
  const argument = structure(32, (view) => {
    view.setUint16(0, code, true);
    view.setUint16(2, reps, true);
    view.setUint16(4, input.length, true);
    view.setBigUint64(16, koffi.address(input), true);
  });
  call(what, fd, REQUEST.rootHvcall, argument);
}

function setRegisters(vp: number, registers: readonly Register[]): void {
  const input = structure(16 + 32 * registers.length, (view) => {
    registers.forEach(([name, low, high = 0n], index) => {
      view.setUint32(16 + 32 * index, name, true);
      view.setBigUint64(32 + 32 * index, low, true);
      view.setBigUint64(40 + 32 * index, high, true);
    });
  });
  hypercall('HVCALL_SET_VP_REGISTERS', vp, HVCALL.setVpRegisters, registers.length, input);
}

function installIntercept(partition: number, access: number, type: number, parameter: number): void {
  const input = structure(24, (view) => {
    view.setUint32(8, access, true);
    view.setUint32(12, type, true);
    view.setBigUint64(16, BigInt(parameter), true);
  });
  hypercall('HVCALL_INSTALL_INTERCEPT', partition, HVCALL.installIntercept, 0, input);
}

function setGuestMemory(partition: number, address: bigint, flags: number): void {
  const region = structure(32, (view) => {
    view.setBigUint64(0, BigInt(GUEST_BYTES), true);
    view.setBigUint64(16, address, true);
    view.setUint8(24, flags);
  });
  call('MSHV_SET_GUEST_MEMORY', partition, REQUEST.setGuestMemory, region);
}

/** The answer to a message; undefined when the guest has halted. */
function answer(message: DataView): readonly Register[] | undefined {
  const type = message.getUint32(0, true);
  const rip = message.getBigUint64(PAYLOAD + 24, true) + BigInt(message.getUint8(PAYLOAD + 4) & 15);
  const skip: Register = [REGISTER.rip, rip];
  const access = message.getUint8(PAYLOAD + 5);
  switch (type) {
    case MESSAGE.halt:
      return undefined;
    case MESSAGE.ioPort:
      if (message.getUint16(PAYLOAD + 40, true) !== SERIAL_PORT || access !== WRITE) break;
      writeSync(1, Uint8Array.of(message.getUint8(PAYLOAD + 48)));
      return [skip];
    case MESSAGE.unmappedGpa:
    case MESSAGE.gpaIntercept:
      if (message.getBigUint64(PAYLOAD + 56, true) !== DEVICE.gpa || access === WRITE) break;
      return [[REGISTER.rax, BigInt(DEVICE.value)], skip];
    case MESSAGE.cpuid: {
      const ours = message.getUint32(PAYLOAD + 40, true) === LEAF.index;
      const given = (offset: number) => message.getBigUint64(PAYLOAD + offset, true);
      const [rax, rbx, rcx, rdx] = ours
        ? [0n, BigInt(LEAF.ebx), 0n, 0n]
        : [given(72), given(96), given(80), given(88)];
      return [[REGISTER.rax, rax], [REGISTER.rbx, rbx], [REGISTER.rcx, rcx], [REGISTER.rdx, rdx], skip];
    }
    case MESSAGE.msr:
      if (message.getUint32(PAYLOAD + 40, true) !== MSR.index || access === WRITE) break;
      return [[REGISTER.rax, BigInt(MSR.value)], [REGISTER.rdx, 0n], skip];
  }
  throw new Error(`unexpected message 0x${type.toString(16)}`);
}

function main(path: string): void {
  const PROT_READ_WRITE = 3;
  const MAP_SHARED_ANONYMOUS = 0x21;
  const address = mmap(null, GUEST_BYTES, PROT_READ_WRITE, MAP_SHARED_ANONYMOUS, -1, 0);
  new Uint8Array(koffi.view(address, GUEST_BYTES)).set(readFileSync(path), GUEST_ENTRY);

  const O_RDWR_CLOEXEC = 0o2000002;
  const device = open('/dev/mshv', O_RDWR_CLOEXEC);
  if (device < 0) throw new Error(`/dev/mshv: errno ${koffi.errno()}`);
  const partition = call('MSHV_CREATE_PARTITION', device, REQUEST.createPartition, outside(16));
  call('MSHV_INITIALIZE_PARTITION', partition, REQUEST.initialize, null);
  setGuestMemory(partition, address, MEMORY.writable | MEMORY.executable);
  const vp = call('MSHV_CREATE_VP', partition, REQUEST.createVp, outside(4));
  installIntercept(partition, 4, INTERCEPT.cpuid, LEAF.index);
  installIntercept(partition, 1, INTERCEPT.msr, 0);
  setRegisters(vp, [
    // Present, code, executable, readable, accessed; limit 64 KiB.
    [REGISTER.cs, 0n, 0xffffn | (0x9bn << 48n)],
    [REGISTER.rip, BigInt(GUEST_ENTRY)],
    [REGISTER.rflags, 2n],
    [REGISTER.rsp, BigInt(GUEST_ENTRY)],
  ]);
  const message = outside(MESSAGE_BYTES);
  for (;;) {
    call('MSHV_RUN_VP', vp, REQUEST.runVp, message);
    const registers = answer(new DataView(message.buffer));
    if (registers === undefined) break;
    setRegisters(vp, registers);
  }
  setGuestMemory(partition, address, MEMORY.unmap);
  for (const fd of [vp, partition, device]) close(fd);
}

const [path] = process.argv.slice(2);
if (path === undefined) {
  process.stderr.write('usage: hello.ts GUEST\n');
  process.exitCode = 2;
} else {
  try {
    main(path);
  } catch (error) {
    process.stderr.write(`hello: ${(error as Error).message}\n`);
    process.exitCode = 1;
  }
}
