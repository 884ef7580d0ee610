import type { IoctlDialect } from '../abi/ids.ts';
import type { Handle, VpRef } from './handle.ts';
import type { Seq, TimeNs } from './position.ts';

/** How an event came to be known; see GLOSSARY.md. */
export type Provenance = 'observed' | 'emulated' | 'derived' | 'authored';
export const PROVENANCES: readonly Provenance[] = ['observed', 'emulated', 'derived', 'authored'];

/** The party that owns an access. Known words first; other words are allowed (`(string & {})` keeps completion). */
export type Component =
  | 'vmbus'
  | 'mshv'
  | 'timer'
  | 'arch'
  | 'guest'
  | 'vmm'
  | 'hypervisor'
  | 'unknown'
  | (string & {});

export { IOCTL_DIALECTS as DIALECTS, type IoctlDialect as Dialect } from '../abi/ids.ts';

/** What every event has. Absent means: not recorded. */
export interface EventCommon {
  readonly seq: Seq;
  /** The event that caused this one; undefined for a stimulus. */
  readonly parent?: Seq;
  /** Entry. Never smaller than that of the event before. */
  readonly t: TimeNs;
  readonly cpu?: number;
  readonly component?: Component;
  readonly pid?: number;
  readonly tid?: number;
  readonly vp?: VpRef;
  readonly vtl?: number;
  readonly provenance: Provenance;
  /** Instructions that `vp` had retired when it happened: in recordings that can be executed again. */
  readonly instructions?: number;
  readonly note?: string;
}

/**
 * An access to a synthetic or other MSR. `value` of a write is what was written and always there; of a read it is the answer.
 * `fault` (#GP) is an answer; undefined where no answer was recorded (authored stimuli).
 */
export interface MsrEvent extends EventCommon {
  readonly kind: 'msr';
  readonly dir: 'read' | 'write';
  readonly msr: number;
  readonly value?: bigint;
  readonly fault?: boolean;
  readonly nested?: boolean;
}

/** What a call wrote back. */
export interface IoctlOut {
  /** The handle it opened (CREATE_PARTITION, CREATE_VP, …). */
  readonly handle?: Handle;
  /** The argument structure after the call, where fields of it are written back. */
  readonly arg?: Uint8Array;
  /** The buffer behind its output pointer; for RUN_VP the 256-byte message. */
  readonly data?: Uint8Array;
}

/** `ret`: undefined = no answer recorded, null = never returned, else the result (negative errno on failure). */
export interface IoctlEvent extends EventCommon {
  readonly kind: 'ioctl';
  readonly handle: Handle;
  readonly fd?: number;
  /** The full 32-bit request number. */
  readonly op: number;
  /** Where it is not the profile's. */
  readonly dialect?: IoctlDialect;
  /** The argument structure as the call read it. */
  readonly arg?: Uint8Array;
  /** The buffer behind its input pointer. */
  readonly in?: Uint8Array;
  readonly out?: IoctlOut;
  readonly ret?: number | null;
  readonly tEnd?: TimeNs;
}

export interface HypercallResult {
  readonly status: number;
  /** Elements completed in all, counted from 0 and including the rep start (TLFS, hypercall result). */
  readonly reps: number;
}

/** `control` is the raw 64-bit word and always complete; code, reps, start, fast, nested are read from it. */
export interface HypercallEvent extends EventCommon {
  readonly kind: 'hypercall';
  readonly control: bigint;
  /** Header, variable header and the elements of a rep call, from element 0 on. */
  readonly input?: Uint8Array;
  readonly inputGpa?: bigint;
  readonly outputGpa?: bigint;
  readonly output?: Uint8Array;
  readonly result?: HypercallResult;
  /** #UD or #GP instead of a result. */
  readonly fault?: boolean;
  readonly tEnd?: TimeNs;
}

export interface RegisterValue {
  readonly name: number;
  /** Up to 128 bits. */
  readonly value: bigint;
}

/** The hypervisor's stop of a VP, seen by nobody yet or by the kernel alone. */
export interface InterceptEvent extends EventCommon {
  readonly kind: 'intercept';
  readonly vp: VpRef;
  /** Message type. */
  readonly type: number;
  readonly payload?: Uint8Array;
  readonly registers?: readonly RegisterValue[];
}

export type MessageWhat = 'deliver' | 'busy' | 'read' | 'clear' | 'drop' | 'event' | 'interrupt';
export const MESSAGE_WHATS: readonly MessageWhat[] = [
  'deliver',
  'busy',
  'read',
  'clear',
  'drop',
  'event',
  'interrupt',
];
export type DropReason = 'masked' | 'synic-off' | 'no-port';
export const DROP_REASONS: readonly DropReason[] = ['masked', 'synic-off', 'no-port'];

/** SynIC traffic towards `cpu` or `vp`. `slot` is header and payload, at most 256 bytes. */
export interface MessageEvent extends EventCommon {
  readonly kind: 'message';
  readonly sint: number;
  readonly what: MessageWhat;
  readonly slot?: Uint8Array;
  /** The message flags that the reader of a cleared slot saw. */
  readonly flags?: number;
  readonly reason?: DropReason;
  readonly flag?: number;
  readonly vector?: number;
}

export type FdWhat = 'open' | 'close' | 'dup' | 'mmap' | 'munmap' | 'eventfd-signal' | 'eventfd-read';
export const FD_WHATS: readonly FdWhat[] = [
  'open',
  'close',
  'dup',
  'mmap',
  'munmap',
  'eventfd-signal',
  'eventfd-read',
];

export interface FdEvent extends EventCommon {
  readonly kind: 'fd';
  readonly what: FdWhat;
  readonly fd?: number;
  readonly handle?: Handle;
  readonly ret?: number | null;
  readonly path?: string;
  readonly from?: number;
  readonly offset?: bigint;
  readonly size?: bigint;
  readonly addr?: bigint;
  readonly value?: bigint;
}

export type PageWhat = 'snapshot' | 'write' | 'alloc' | 'free';
export const PAGE_WHATS: readonly PageWhat[] = ['snapshot', 'write', 'alloc', 'free'];
export type PageKind =
  | 'register'
  | 'intercept'
  | 'ghcb'
  | 'simp'
  | 'siefp'
  | 'sirbp'
  | 'vp-assist'
  | 'hypercall'
  | 'reference-tsc'
  | 'hypercall-input'
  | 'hypercall-output'
  | 'ram';
export const PAGE_KINDS: readonly PageKind[] = [
  'register',
  'intercept',
  'ghcb',
  'simp',
  'siefp',
  'sirbp',
  'vp-assist',
  'hypercall',
  'reference-tsc',
  'hypercall-input',
  'hypercall-output',
  'ram',
];

/** Some bytes of a page, from `offset` on; no two of an event begin at one offset. */
export interface PageBytes {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** Memory shared with the hypervisor; the owner is `vp` or `cpu`. */
export interface PageEvent extends EventCommon {
  readonly kind: 'page';
  readonly what: PageWhat;
  readonly page: PageKind;
  readonly gpa?: bigint;
  readonly bytes?: readonly PageBytes[];
}

export type LifecycleWhat =
  | 'component-start'
  | 'component-stop'
  | 'cpu-online'
  | 'cpu-offline'
  | 'kexec'
  | 'reboot'
  | 'crash'
  | 'suspend'
  | 'resume'
  | 'process-start'
  | 'process-exit'
  | 'partition-reset'
  | 'save'
  | 'restore'
  | 'power-off'
  | 'halt';
export const LIFECYCLE_WHATS: readonly LifecycleWhat[] = [
  'component-start',
  'component-stop',
  'cpu-online',
  'cpu-offline',
  'kexec',
  'reboot',
  'crash',
  'suspend',
  'resume',
  'process-start',
  'process-exit',
  'partition-reset',
  'save',
  'restore',
  'power-off',
  'halt',
];
/** The step of an initialisation at which it is made to fail. */
export type FailStep = 'simp-map' | 'siefp-map' | 'sirbp-map' | 'cpuhp' | 'vmbus-connect' | 'alloc';
export const FAIL_STEPS: readonly FailStep[] = [
  'simp-map',
  'siefp-map',
  'sirbp-map',
  'cpuhp',
  'vmbus-connect',
  'alloc',
];

/** `phase` absent = begin. `ret` stands on an end. */
export interface LifecycleEvent extends EventCommon {
  readonly kind: 'lifecycle';
  readonly what: LifecycleWhat;
  readonly phase?: 'begin' | 'end';
  readonly partition?: bigint;
  readonly ret?: number;
  readonly fail?: FailStep;
}

export type MarkWhat = 'note' | 'gap' | 'queue' | 'line' | 'probe' | 'cross-vtl' | 'unmodelled';
export const MARK_WHATS: readonly MarkWhat[] = [
  'note',
  'gap',
  'queue',
  'line',
  'probe',
  'cross-vtl',
  'unmodelled',
];

/** Added by instrumentation; never a stimulus. */
export interface MarkEvent extends EventCommon {
  readonly kind: 'mark';
  readonly what: MarkWhat;
  readonly text?: string;
  readonly lost?: number;
  readonly sint?: number;
  readonly depth?: number;
  readonly gsi?: number;
  readonly vector?: number;
  readonly level?: number;
  readonly phase?: 'begin' | 'end';
}

export type TraceEvent =
  | MsrEvent
  | IoctlEvent
  | HypercallEvent
  | InterceptEvent
  | MessageEvent
  | FdEvent
  | PageEvent
  | LifecycleEvent
  | MarkEvent;

export type EventKind = TraceEvent['kind'];

/** The order is that of the numbers in the file (docs/format.md): append only. */
export const EVENT_KINDS: readonly EventKind[] = [
  'ioctl',
  'hypercall',
  'msr',
  'message',
  'intercept',
  'fd',
  'page',
  'lifecycle',
  'mark',
];
