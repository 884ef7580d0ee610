import { IOCTL_TYPE } from '../../../engine/abi/index.ts';
import { assemble, type Line } from '../../native/assembler.ts';
import { ARCH_X86_64, NR } from '../../native/numbers.ts';
import type { FdWindow } from './window.ts';

const ALLOW = 0x7fff0000;
const NOTIFY = 0x7fc00000;

/** struct seccomp_data: nr, arch, instruction pointer, six arguments of 64 bits (their low halves are read). */
const NUMBER = 0;
const ARCH = 4;
const argument = (index: number): number => 16 + 8 * index;

const CLONE_THREAD = 0x10000;

/** Calls that are always handed over: those that open or look at files by name, make processes, replace programs, unmap. */
const ALWAYS = [
  NR.open,
  NR.openat,
  NR.openat2,
  NR.creat,
  NR.fork,
  NR.vfork,
  NR.clone3,
  NR.execve,
  NR.execveat,
  NR.stat,
  NR.lstat,
  NR.newfstatat,
  NR.statx,
  NR.access,
  NR.faccessat,
  NR.faccessat2,
  NR.munmap,
];

/** Calls on a descriptor, and which argument it is. */
const ON_DESCRIPTOR: readonly (readonly [nr: number, argument: number])[] = [
  [NR.close, 0],
  [NR.dup, 0],
  [NR.dup2, 0],
  [NR.dup2, 1],
  [NR.dup3, 0],
  [NR.dup3, 1],
  [NR.fcntl, 0],
  [NR.mmap, 4],
  [NR.fstat, 0],
];

/** The tests of one argument of a call for the window; falls through where it is not in it. */
function inWindow(index: number, { from, to }: FdWindow, name: string): Line[] {
  return [
    { op: 'load', offset: argument(index) },
    { op: 'at-least', value: from, no: name },
    { op: 'at-least', value: to, yes: name, no: 'notify' },
    { label: name },
  ];
}

function onDescriptor(nr: number, window: FdWindow): Line[] {
  const indexes = ON_DESCRIPTOR.filter(([number]) => number === nr).map(([, index]) => index);
  return [
    { label: `call-${nr}` },
    ...indexes.flatMap((index) => inWindow(index, window, `call-${nr}-${index}`)),
    { op: 'go', to: 'allow' },
  ];
}

/**
 * The seccomp filter of the program: which of its system calls are handed to the supervisor. It cannot read paths, so
 * every open, and every look at a file, is handed over; of the rest only ioctls of type 0xB8, calls on descriptors in the window, and what makes
 * processes (new threads by clone3 too: whether they are threads stands in memory).
 */
export function filterProgram(window: FdWindow): Uint8Array {
  const descriptorCalls = [...new Set(ON_DESCRIPTOR.map(([nr]) => nr))];
  return assemble([
    { op: 'load', offset: ARCH },
    { op: 'equal', value: ARCH_X86_64, no: 'allow' },
    { op: 'load', offset: NUMBER },
    { op: 'equal', value: NR.ioctl, yes: 'ioctl' },
    ...descriptorCalls.map((nr): Line => ({ op: 'equal', value: nr, yes: `call-${nr}` })),
    { op: 'equal', value: NR.clone, yes: 'clone' },
    { op: 'equal', value: NR.close_range, yes: 'close-range' },
    ...ALWAYS.map((nr): Line => ({ op: 'equal', value: nr, yes: 'notify' })),
    { op: 'go', to: 'allow' },
    { label: 'ioctl' },
    { op: 'load', offset: argument(1) },
    { op: 'and', value: 0xff00 },
    { op: 'equal', value: IOCTL_TYPE << 8, yes: 'notify', no: 'allow' },
    ...descriptorCalls.flatMap((nr) => onDescriptor(nr, window)),
    { label: 'clone' },
    { op: 'load', offset: argument(0) },
    { op: 'any-of', value: CLONE_THREAD, yes: 'allow', no: 'notify' },
    { label: 'close-range' },
    { op: 'load', offset: argument(1) },
    { op: 'at-least', value: window.from, yes: 'notify' },
    { op: 'go', to: 'allow' },
    { label: 'allow' },
    { op: 'return', value: ALLOW },
    { label: 'notify' },
    { op: 'return', value: NOTIFY },
  ]);
}
