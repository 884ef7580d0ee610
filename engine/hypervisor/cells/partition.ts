import { setOf } from '../../abi/index.ts';
import { cell, objectKind, singleCellKind } from '../../state/schema.ts';

/** States of a partition (TLFS 2013, partition states), by the number that the cell holds. */
export const PARTITION_STATES = ['none', 'uninitialized', 'active', 'finalizing', 'finalized'] as const;
export type PartitionState = (typeof PARTITION_STATES)[number];

function creationFlagNames(): readonly string[] {
  const flags = setOf('partitionCreationFlags');
  if (flags?.kind !== 'flags') throw new Error('partitionCreationFlags is not a set of flags');
  const names = Array.from({ length: 64 }, (_, bit) => `bit${bit}`);
  for (const flag of flags.flags) {
    for (let bit = 0; bit < 64; bit++) if (flag.mask === 1n << BigInt(bit)) names[bit] = flag.name;
  }
  return names;
}

/** Reference time runs, stands still, or stands still at a value that has been told. */
export const FREEZES = ['runs', 'frozen', 'told'] as const;

/** A partition, by the hypervisor's id. The partition that the trace is about is one of them. */
export const PARTITION = objectKind('partition', undefined, 'decimal', {
  state: cell({ as: 'enum', names: PARTITION_STATES }),
  flags: cell({ as: 'flags', names: creationFlagNames() }),
  parent: cell('partition'),
  /** No guest has run since accessed and dirty bits of its pages were last cleared or set. */
  accessCertain: cell('bool'),
  /** Calls that its finalizing still takes. */
  finalizeCalls: cell('dec'),
  pool: {
    deposited: cell('dec'),
    /** Of those, taken by objects. */
    used: cell('dec'),
    /** Number of the next run of deposited pages. */
    nextRun: cell('dec'),
    /** Pages mapped into the partition, where mapping costs pages of the pool. */
    mapped: cell('dec'),
    /** Blocks of 8 contiguous pages that objects have. */
    blocks: cell('dec'),
  },
  stats: { self: cell('pfn'), parent: cell('pfn') },
  /** Calls on it that the hypervisor has taken and not finished. */
  pendingCalls: cell('dec'),
  /**
   * Reference time is the time of the trace and `offset`, in 100 ns, modulo 2^64, and `offset` alone while it is frozen; `last`
   * is the last one read.
   */
  reference: { offset: cell(), last: cell('dec'), freeze: cell({ as: 'enum', names: FREEZES }) },
  /** What was told of the frequencies of TSC and APIC, in Hz; 0 = not asked for yet. */
  frequency: { tsc: cell('dec'), apic: cell('dec') },
});

/** `partition[2].property[0x10001]`: a property that was set. */
export const PROPERTY = singleCellKind('property', PARTITION, 'hex', 'hex');

/** `partition[2].run[0]`: pages that were deposited and lie one after another. */
export const POOL_RUN = objectKind('run', PARTITION, 'decimal', {
  frame: cell('pfn'),
  /** Pages of it that have not been withdrawn. */
  pages: cell('dec'),
});

/** `partition[1].ownVp[0]`: a VP of the own partition, which is a CPU of this machine, while its statistics are mapped. */
export const OWN_VP = objectKind('ownVp', PARTITION, 'decimal', {
  stats: { self: cell('pfn'), parent: cell('pfn') },
});
