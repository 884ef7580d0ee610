import { IOCTL_TYPE } from '../../../engine/abi/index.ts';
import { assemble, type Line } from '../../native/assembler.ts';
import { ARCH_X86_64, NR } from '../../native/numbers.ts';
import { F_DUPFD, F_DUPFD_CLOEXEC, MOST_MAPPED } from './descriptor-calls.ts';

const ALLOW = 0x7fff0000;
const TRACE = 0x7ff00000;
/** struct seccomp_data: nr, arch, instruction pointer, six arguments of 64 bits (their low halves are read). */
const NUMBER = 0;
const ARCH = 4;
const argument = (index: number): number => 16 + 8 * index;
const NO_FILE = 0xffff_ffff;

/** Calls that open or close files: which ones are the device's, a filter cannot see. */
const ALWAYS = [NR.open, NR.openat, NR.openat2, NR.creat, NR.close, NR.close_range, NR.dup, NR.dup2, NR.dup3];

/**
 * The seccomp filter of a program that is recorded: which of its system calls stop it. ioctls of type 0xB8, what opens,
 * closes and duplicates files, mappings of files, and what unmaps no more than a VP has pages: memory that programs
 * return is nearly always larger.
 */
export function traceFilter(): Uint8Array {
  return assemble([
    { op: 'load', offset: ARCH },
    { op: 'equal', value: ARCH_X86_64, no: 'allow' },
    { op: 'load', offset: NUMBER },
    { op: 'equal', value: NR.ioctl, yes: 'ioctl' },
    { op: 'equal', value: NR.mmap, yes: 'mmap' },
    { op: 'equal', value: NR.munmap, yes: 'munmap' },
    { op: 'equal', value: NR.fcntl, yes: 'fcntl' },
    ...ALWAYS.map((nr): Line => ({ op: 'equal', value: nr, yes: 'trace' })),
    { op: 'go', to: 'allow' },
    { label: 'ioctl' },
    { op: 'load', offset: argument(1) },
    { op: 'and', value: 0xff00 },
    { op: 'equal', value: IOCTL_TYPE << 8, yes: 'trace', no: 'allow' },
    { label: 'mmap' },
    { op: 'load', offset: argument(4) },
    { op: 'equal', value: NO_FILE, yes: 'allow', no: 'trace' },
    { label: 'munmap' },
    { op: 'load', offset: argument(1) },
    { op: 'at-least', value: MOST_MAPPED + 1, yes: 'allow', no: 'trace' },
    { label: 'fcntl' },
    { op: 'load', offset: argument(1) },
    { op: 'equal', value: F_DUPFD, yes: 'trace' },
    { op: 'equal', value: F_DUPFD_CLOEXEC, yes: 'trace' },
    { label: 'allow' },
    { op: 'return', value: ALLOW },
    { label: 'trace' },
    { op: 'return', value: TRACE },
  ]);
}
