import { cell, objectKind } from '../../state/schema.ts';

/**
 * Frames that the machine chooses itself where a record shows none: first those of the kernel's allocator, then those
 * of the hypervisor. What lies between these two may have been chosen, or may be a real kernel's.
 */
export const FIRST_KERNEL_FRAME = 0x20_0000;
export const FIRST_PROVIDED_FRAME = 0x30_0000;

/** Id of the first partition that the one which the trace is about makes. */
export const FIRST_CHILD = 2n;

/** The hypervisor's own counters. */
export const HYPERVISOR = objectKind('hypervisor', undefined, 'none', {
  /** Ids are never used twice in a run, which keeps a trace readable. */
  nextPartition: cell('dec', FIRST_CHILD),
  /** Frames from which it serves the state and stats pages whose place the caller leaves to it. */
  nextFrame: cell('pfn', BigInt(FIRST_PROVIDED_FRAME)),
  /** What the chipset is told to sleep, as the root gave it, and the state that the root asked for last; 0 = none. */
  sleep: { state: cell('dec'), pm1a: cell('hex'), pm1b: cell('hex'), entered: cell('dec') },
  /** Page with its statistics. */
  stats: cell('pfn'),
});

/** `hypervisor.processor[0]`: a logical processor whose statistics are mapped. */
export const PROCESSOR = objectKind('processor', HYPERVISOR, 'decimal', { stats: cell('pfn') });

/** The other end of VMBus: the host's side of the message connection (Linux 7.2 drivers/hv/connection.c). */
export const HOST = objectKind('host', undefined, 'none', {
  vmbus: {
    connected: cell('bool'),
    version: cell('hex'),
    /** VP and SINT that the guest named in its INITIATE_CONTACT. */
    targetVp: cell('dec'),
    sint: cell('dec'),
    /** Answers that the engine worked out and that the record may still tell of: a bit each. */
    told: cell('hex'),
  },
});
