import type { Component } from './event.ts';
import type { Address } from './position.ts';
import type { Quirks } from './quirks.ts';
import type { JsonObject } from './text/json.ts';

export const KERNELS = [
  'upstream-7.2',
  'upstream-7.0',
  'upstream-6.16',
  'rfc2020',
  'vtl',
  'unknown',
] as const;
export const ROLES = ['root', 'nested-root', 'l1vh', 'guest', 'vtl-host'] as const;
export const ARCHES = ['x64', 'arm64'] as const;
export const INITIALS = ['reset', 'unknown'] as const;
export const SCHEDULERS = ['core-smt', 'core', 'classic', 'root'] as const;
export const SYNIC_OWNERSHIPS = ['before', 'v1', 'v2', 'merged'] as const;
export const REBOOT_NOTIFIERS = ['root-only', 'always'] as const;
export const VMBUS_UNLOADS = ['answered', 'lost'] as const;
export const SYNIC_POLICIES = ['permissive', 'strict-transition', 'kvm-like'] as const;
export const SCONTROL_RESETS = ['0', '1'] as const;
export const POINTER_ERRORS = ['docs', 'openvmm'] as const;
export const POINTER_OVERLAPS = ['accept', 'reject'] as const;
export const UNKNOWN_REGISTERS = ['0x05', '0x87'] as const;
export const RESERVED_BITS = ['strict', 'warn'] as const;
export const ASYNC_CALLS = ['never', 'at-once', 'later'] as const;
export const HLT_EXITS = ['without-lapic', 'always', 'never'] as const;
export const REGISTER_PAGES = ['stopped', 'always', 'none'] as const;

/** One CPUID leaf as the event text gives it. */
export interface CpuidLeaf {
  readonly eax: number;
  readonly ebx: number;
  readonly ecx: number;
  readonly edx: number;
}

/** Page frames that the hypervisor gives a root partition, by register, per CPU (`frame + cpu`). */
export interface ProvidedFrames {
  readonly simp: bigint;
  readonly siefp: bigint;
  readonly sirbp: bigint;
  readonly hypercall: bigint;
  readonly vpAssist: bigint;
}

/** What is behind a process's memory: pages of 4 KiB or 2 MiB, or a device. */
export const BACKINGS = ['pages', 'large-pages', 'device'] as const;
export type Backing = (typeof BACKINGS)[number];

/** Objects that take pages of a pool; `child` is a partition in the pool of its parent. */
export const POOL_OBJECTS = ['partition', 'vp', 'port', 'connection', 'child'] as const;
export type PoolObject = (typeof POOL_OBJECTS)[number];

/** Pages that objects take from a partition's pool (TLFS names no costs: parameters). */
export interface PoolCosts extends Readonly<Record<PoolObject, number>> {
  /** Of each of the `messageBuffers` that a message port has. */
  readonly messageBuffer: number;
  /** Objects that want a block of 8 contiguous pages besides. */
  readonly contiguous: readonly PoolObject[];
  /** Proximity domains of the machine; 0: not known, and none is refused. */
  readonly proximityDomains: number;
  /** Guest pages covered by one pool page of mapping structures; 0: mapping takes nothing from the pool. */
  readonly mapPagesPerPoolPage: number;
}

/** Every choice that could differ between hypervisors, kernels or runs; all defaults filled in. */
export interface Profile {
  readonly kernel: (typeof KERNELS)[number];
  readonly role: (typeof ROLES)[number];
  readonly vmbus: boolean;
  /** The kernel has debugfs, where mshv shows the hypervisor's statistics (CONFIG_DEBUG_FS). */
  readonly debugfs: boolean;
  /** The kernel has MMU notifiers, without which it pins all of a guest's memory (CONFIG_MMU_NOTIFIER). */
  readonly mmuNotifier: boolean;
  /** What is behind the memory that processes give to guests, by its address; `pages` where nothing is said. */
  readonly backing: ReadonlyMap<bigint, Backing>;
  readonly cpus: number;
  /** Logical processors of the machine, which a root partition has statistics of; 0: as many as it has CPUs. */
  readonly processors: number;
  readonly arch: (typeof ARCHES)[number];
  readonly gpaBits: number;
  readonly cpuid: ReadonlyMap<number, CpuidLeaf>;
  readonly initial: (typeof INITIALS)[number];
  readonly scheduler: (typeof SCHEDULERS)[number];
  readonly synicOwnership: (typeof SYNIC_OWNERSHIPS)[number];
  readonly rebootNotifier: (typeof REBOOT_NOTIFIERS)[number];
  readonly vmbusUnload: (typeof VMBUS_UNLOADS)[number];
  readonly synicPolicy: (typeof SYNIC_POLICIES)[number];
  readonly scontrolReset: (typeof SCONTROL_RESETS)[number];
  readonly pointerErrors: (typeof POINTER_ERRORS)[number];
  readonly pointerOverlap: (typeof POINTER_OVERLAPS)[number];
  readonly unknownRegister: (typeof UNKNOWN_REGISTERS)[number];
  readonly reservedBits: (typeof RESERVED_BITS)[number];
  readonly hltExits: (typeof HLT_EXITS)[number];
  /** When the register page of a VP says that it is valid: while the VP stands still, from its first stop on, or never. */
  readonly registerPage: (typeof REGISTER_PAGES)[number];
  /**
   * Whether the hypervisor takes HVCALL_SET_PARTITION_PROPERTY and finishes it in its own time: when it has answered, or with the next
   * hypercall. Never: then a recorded CALL_PENDING is bound.
   */
  readonly asyncCalls: (typeof ASYNC_CALLS)[number];
  readonly quirks: Quirks;
  readonly pool: PoolCosts;
  /** How deep partitions may lie below that of the trace, whose children are 1 deep; 0: no limit. */
  readonly partitionDepth: number;
  /** Partitions that can be initialised at a time; 0: no limit. */
  readonly activePartitions: number;
  /** Calls that finalizing a partition takes. */
  readonly finalizeCalls: number;
  /** Pages that the kernel can have in pools at a time, beyond which it has none left to deposit; 0: no limit. */
  readonly depositablePages: number;
  readonly messageBuffers: number;
  /** Elements after which a rep hypercall gives the processor back; 0 = never. */
  readonly repTimeout: number;
  readonly provided: ProvidedFrames;
  readonly seed: number;
  /**
   * What an instruction of a guest takes of its time, in ns; 0: its time is that of the host. More than 0 stands in recordings
   * that can be executed again.
   */
  readonly instructionNs: number;
}

/** A finding that a sample must (or must not) produce. */
export interface ExpectedFinding {
  readonly rule: string;
  readonly component: Component;
  readonly at?: Address;
}

/** Line 1 of the event text. `given` is the profile as written, so that it is written back as it was. */
export interface TraceHeader {
  readonly profile: Profile;
  readonly given: JsonObject;
  readonly expect?: { readonly findings: readonly ExpectedFinding[] };
}
