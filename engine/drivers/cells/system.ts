import { FIRST_KERNEL_FRAME } from '../../hypervisor/index.ts';
import { cell, objectKind } from '../../state/schema.ts';

/** Phases of a kexec. `waiting`: it waits for something that may never come, and nothing else runs. */
export const KEXEC_PHASES = ['none', 'running', 'waiting'] as const;

/** How the kernel has ended for good. */
export const ENDS = ['none', 'halted', 'off'] as const;

/** The machine as its kernel sees it. */
export const SYSTEM = objectKind('system', undefined, 'none', {
  kexec: cell({ as: 'enum', names: KEXEC_PHASES }),
  /** Kernels that have run on it, this one included. */
  kernels: cell('dec', 1n),
  /** Where the kernel's page allocator goes on: frames are never given out twice. */
  nextFrame: cell('pfn', BigInt(FIRST_KERNEL_FRAME)),
  /** The machine was halted or switched off: nothing runs any more. */
  end: cell({ as: 'enum', names: ENDS }),
  /** The kernel was started to save what a crash left (Linux: is_kdump_kernel). */
  crashKernel: cell('bool'),
});

/** A process that uses the drivers. */
export const PROCESS = objectKind('process', undefined, 'decimal', {});

export const FILE_KINDS = ['none', 'device', 'partition', 'vp', 'vtl', 'sint', 'hvcall', 'vtl-low'] as const;

/** An open file of a process. */
export const FD = objectKind('fd', PROCESS, 'decimal', {
  handle: cell({ as: 'enum', names: FILE_KINDS }),
  /** Which open of a device it is, from 1. */
  open: cell('dec'),
  partition: cell('partition'),
  vp: cell('dec'),
});
