import { IOCTL_TYPE } from '../../../engine/abi/index.ts';
import { assemble, type Line } from '../../native/assembler.ts';
import { ARCH_I386, ARCH_X86_64, ERRNO, NR, NR32 } from '../../native/numbers.ts';
import type { FdWindow } from './window.ts';

const ALLOW = 0x7fff0000;
const NOTIFY = 0x7fc00000;
/** The call fails with the errno in the low bits. */
const FAIL = 0x00050000;

/** struct seccomp_data: nr, arch, instruction pointer, six arguments of 64 bits (their low halves are read). */
const NUMBER = 0;
const ARCH = 4;
const argument = (index: number): number => 16 + 8 * index;

const CLONE_THREAD = 0x10000;

/** The numbers of one interface of the kernel's. */
interface Numbers {
  readonly ioctl: number;
  readonly clone: number;
  readonly closeRange: number;
  /** Calls that are always handed over: those that open or look at files by name, make processes, replace programs, unmap or move memory, signal threads. */
  readonly always: readonly number[];
  /** Calls on a descriptor, and which argument it is. */
  readonly onDescriptor: readonly (readonly [nr: number, argument: number])[];
  /** Calls that files of the device have no entry for. */
  readonly withoutEntry: readonly number[];
}

const NATIVE: Numbers = {
  ioctl: NR.ioctl,
  clone: NR.clone,
  closeRange: NR.close_range,
  always: [
    ...[NR.open, NR.openat, NR.openat2, NR.creat, NR.fork, NR.vfork, NR.clone3, NR.execve, NR.execveat],
    ...[NR.stat, NR.lstat, NR.newfstatat, NR.statx, NR.access, NR.faccessat, NR.faccessat2, NR.munmap],
    ...[NR.mremap, NR.tkill, NR.tgkill],
  ],
  onDescriptor: [
    ...([
      [NR.close, 0],
      [NR.dup, 0],
      [NR.dup2, 0],
      [NR.dup2, 1],
      [NR.dup3, 0],
      [NR.dup3, 1],
    ] as const),
    ...([
      [NR.fcntl, 0],
      [NR.mmap, 4],
      [NR.fstat, 0],
    ] as const),
  ],
  withoutEntry: [NR.read, NR.write, NR.pread64, NR.pwrite64, NR.readv, NR.writev, NR.ftruncate],
};

/** The same calls of 32-bit programs, where their arguments and structures are the same. */
const COMPAT: Numbers = {
  ioctl: NR32.ioctl,
  clone: NR32.clone,
  closeRange: NR32.close_range,
  always: [
    ...[NR32.open, NR32.openat, NR32.openat2, NR32.creat, NR32.fork, NR32.vfork, NR32.clone3],
    ...[NR32.execve, NR32.execveat, NR32.statx, NR32.access, NR32.faccessat, NR32.faccessat2, NR32.munmap],
    ...[NR32.mremap, NR32.tkill, NR32.tgkill],
  ],
  onDescriptor: [
    ...([
      [NR32.close, 0],
      [NR32.dup, 0],
      [NR32.dup2, 0],
      [NR32.dup2, 1],
      [NR32.dup3, 0],
    ] as const),
    ...([
      [NR32.dup3, 1],
      [NR32.fcntl, 0],
      [NR32.fcntl64, 0],
      [NR32.mmap2, 4],
    ] as const),
  ],
  withoutEntry: [NR32.read, NR32.write],
};

/** A ring makes calls that no filter sees: as on a kernel that was built without it. Its numbers are the same in both. */
const IO_URING = [NR.io_uring_setup, NR.io_uring_enter, NR.io_uring_register];

/** The tests of one argument of a call for the window; falls through where it is not in it. */
function inWindow(index: number, { from, to }: FdWindow, name: string, inside = 'notify'): Line[] {
  return [
    { op: 'load', offset: argument(index) },
    { op: 'at-least', value: from, no: name },
    { op: 'at-least', value: to, yes: name, no: inside },
    { label: name },
  ];
}

function onDescriptor(prefix: string, numbers: Numbers, nr: number, window: FdWindow): Line[] {
  const indexes = numbers.onDescriptor.filter(([number]) => number === nr).map(([, index]) => index);
  return [
    { label: `${prefix}-${nr}` },
    ...indexes.flatMap((index) => inWindow(index, window, `${prefix}-${nr}-${index}`)),
    { op: 'go', to: 'allow' },
  ];
}

/** What becomes of the calls of one interface. */
function callsOf(prefix: string, numbers: Numbers, window: FdWindow): Line[] {
  const onDescriptors = [...new Set(numbers.onDescriptor.map(([nr]) => nr))];
  const label = (name: string | number) => `${prefix}-${name}`;
  return [
    { label: prefix },
    { op: 'load', offset: NUMBER },
    { op: 'equal', value: numbers.ioctl, yes: label('ioctl') },
    ...onDescriptors.map((nr): Line => ({ op: 'equal', value: nr, yes: label(nr) })),
    ...numbers.withoutEntry.map((nr): Line => ({ op: 'equal', value: nr, yes: label('no-entry') })),
    { op: 'equal', value: numbers.clone, yes: label('clone') },
    { op: 'equal', value: numbers.closeRange, yes: label('close-range') },
    ...numbers.always.map((nr): Line => ({ op: 'equal', value: nr, yes: 'notify' })),
    ...IO_URING.map((nr): Line => ({ op: 'equal', value: nr, yes: 'missing' })),
    { op: 'go', to: 'allow' },
    { label: label('ioctl') },
    { op: 'load', offset: argument(1) },
    { op: 'and', value: 0xff00 },
    { op: 'equal', value: IOCTL_TYPE << 8, yes: 'notify', no: 'allow' },
    ...onDescriptors.flatMap((nr) => onDescriptor(prefix, numbers, nr, window)),
    { label: label('no-entry') },
    ...inWindow(0, window, label('other-file'), 'invalid'),
    { op: 'go', to: 'allow' },
    { label: label('clone') },
    { op: 'load', offset: argument(0) },
    { op: 'any-of', value: CLONE_THREAD, yes: 'allow', no: 'notify' },
    { label: label('close-range') },
    { op: 'load', offset: argument(1) },
    { op: 'at-least', value: window.from, yes: 'notify', no: 'allow' },
  ];
}

/**
 * The seccomp filter of the program: which of its system calls are handed to the supervisor. It cannot read paths, so
 * every open, and every look at a file, is handed over; of the rest only ioctls of type 0xB8, calls on descriptors in the window, and what makes
 * processes (new threads by clone3 too: whether they are threads stands in memory).
 */
export function filterProgram(window: FdWindow): Uint8Array {
  return assemble([
    { op: 'load', offset: ARCH },
    { op: 'equal', value: ARCH_X86_64, yes: 'native' },
    { op: 'equal', value: ARCH_I386, no: 'other' },
    ...callsOf('compat', COMPAT, window),
    { label: 'other' },
    { op: 'go', to: 'allow' },
    ...callsOf('native', NATIVE, window),
    { label: 'allow' },
    { op: 'return', value: ALLOW },
    { label: 'notify' },
    { op: 'return', value: NOTIFY },
    { label: 'missing' },
    { op: 'return', value: FAIL | ERRNO.ENOSYS },
    { label: 'invalid' },
    { op: 'return', value: FAIL | ERRNO.EINVAL },
  ]);
}
