/** What the views of partitions and of guest memory get; part of the interface in api.ts. */

/** A change: the event that made it, and the call (or other stimulus) which that was part of. */
export interface DeedView {
  readonly at: string;
  readonly tNs: number;
  readonly component: string;
  readonly op: string;
  readonly causeAt: string;
  readonly cause: string;
}

export const PARTITION_PHASES = ['created', 'initialized', 'running', 'finalized', 'deleted'] as const;
export type PartitionPhase = (typeof PARTITION_PHASES)[number];

/** Where the cursor stands in a life. */
export type Standing = 'not yet' | 'there' | 'gone';

export interface VpLife {
  /** `2.0` */
  readonly vp: string;
  readonly created: DeedView;
  readonly deleted?: DeedView;
  readonly now: Standing;
  /** What holds it at the cursor. */
  readonly held: 'suspended' | 'stopped at an intercept' | 'runs' | '';
  /** Calls of MSHV_RUN_VP up to the cursor, and in all. */
  readonly runsSoFar: number;
  readonly runs: number;
  /** Still there at the end of the trace. */
  readonly left: boolean;
  readonly changed: boolean;
}

/** Pages given to a partition's pool (or taken back: below 0). */
export interface DepositView {
  readonly deed: DeedView;
  readonly pages: number;
  /** In the pool afterwards. */
  readonly after: number;
}

export interface PartitionLife {
  /** The hypervisor's id, decimal. */
  readonly id: string;
  readonly phases: readonly { readonly phase: PartitionPhase; readonly deed: DeedView }[];
  /** The phase at the cursor; empty before its creation. */
  readonly phase: PartitionPhase | '';
  readonly left: boolean;
  readonly changed: boolean;
  /** Pages of the pool at the cursor, and of those the ones that objects have taken. */
  readonly deposited: number;
  readonly used: number;
  readonly deposits: readonly DepositView[];
  readonly vps: readonly VpLife[];
}

export interface DescriptorLife {
  readonly process: string;
  readonly fd: string;
  /** `device`, `partition:2`, `vp:2.0` */
  readonly handle: string;
  readonly opened: DeedView;
  readonly closed?: DeedView;
  readonly now: Standing;
  readonly left: boolean;
  readonly changed: boolean;
}

/** Guest page frames that are mapped alike. Addresses are `0x…`; `to` is the last byte. */
export interface MappedView {
  readonly from: string;
  readonly to: string;
  readonly pages: number;
  /** Flags of the mapping, without prefix. */
  readonly flags: readonly string[];
  readonly deed: DeedView;
  readonly changed: boolean;
  /** The event at the cursor has ended it. */
  readonly gone: boolean;
}

/** Memory that a process gave to a partition, and what of it is mapped. */
export interface RegionView extends MappedView {
  /** Where it lies in the process. */
  readonly address: string;
  readonly kind: string;
  readonly mapped: readonly MappedView[];
}

/** A page of the hypervisor's or a shared one that lies over guest memory. */
export interface OverlayView {
  /** `SIMP`, `SIEFP`, `hypercall`, `VP assist`, `reference TSC` */
  readonly what: string;
  /** `VP 2.0`, `CPU 0` */
  readonly of: string;
  readonly gpa: string;
  readonly deed?: DeedView;
  readonly changed: boolean;
}

export interface GpaMapView {
  /** Decimal id. */
  readonly partition: string;
  /** It is the partition that the trace was recorded in: only overlays of it are known. */
  readonly own: boolean;
  readonly regions: readonly RegionView[];
  /** Mapped without a region, as by a raw hypercall. */
  readonly others: readonly MappedView[];
  readonly overlays: readonly OverlayView[];
}

export interface MachineRequests {
  /** Lives of partitions, VPs and descriptors, over the trace and at a position. */
  readonly partitions: {
    readonly in: { readonly at: string };
    readonly out: {
      readonly at: string;
      /** Those around the cursor, where there are many. */
      readonly partitions: readonly PartitionLife[];
      readonly partitionsInAll: number;
      readonly descriptors: readonly DescriptorLife[];
      readonly descriptorsInAll: number;
    };
  };
  /** Guest memory of every partition that exists at a position. */
  readonly gpaMap: {
    readonly in: { readonly at: string };
    readonly out: { readonly at: string; readonly maps: readonly GpaMapView[] };
  };
}
