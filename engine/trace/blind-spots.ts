import { msrs } from '../abi/index.ts';
import type { EventKind, TraceEvent } from './event.ts';
import type { Profile } from './profile.ts';

/** How much of what happened the events of a trace tell, beyond how many there are of each kind. */
export interface TraceDetail {
  readonly ioctlsWithArgument: number;
  /** Returned ioctls whose answer holds more than the result. */
  readonly ioctlsWithOutput: number;
  readonly handlesWithoutId: number;
  readonly hypercallsWithInput: number;
  readonly synicReads: number;
  readonly synicWrites: number;
  readonly msrsWithoutCpu: number;
}

/** What a trace holds: how many events of each kind, and what they tell, where all of them were looked at. */
export interface TraceDepth {
  readonly kinds: { readonly [K in EventKind]?: number };
  readonly detail?: TraceDetail;
}

/** A question that a trace cannot answer, and why. */
export interface BlindSpot {
  readonly question: string;
  readonly why: string;
}

/** HV_X64_MSR_SCONTROL to HV_X64_MSR_SINT15 (TLFS, SynIC), and their nested aliases. */
const FIRST_SYNIC = msrs.number('HV_X64_MSR_SCONTROL');
const LAST_SYNIC = msrs.number('HV_X64_MSR_SINT15');
const NESTED = 0x1000;

function isSynic(msr: number): boolean {
  return [msr, msr - NESTED].some((plain) => plain >= FIRST_SYNIC && plain <= LAST_SYNIC);
}

/** Looks at events one by one and counts what they tell. */
export class DepthCounter {
  readonly #kinds = new Map<EventKind, number>();
  readonly #detail: { -readonly [K in keyof TraceDetail]: number } = {
    ioctlsWithArgument: 0,
    ioctlsWithOutput: 0,
    handlesWithoutId: 0,
    hypercallsWithInput: 0,
    synicReads: 0,
    synicWrites: 0,
    msrsWithoutCpu: 0,
  };

  /** Takes an event as it is known at its entry; what its answer adds comes by {@link answered}. */
  add(event: TraceEvent): void {
    this.#kinds.set(event.kind, (this.#kinds.get(event.kind) ?? 0) + 1);
    const detail = this.#detail;
    if (event.kind === 'ioctl') {
      const { handle, arg, out } = event;
      if (arg !== undefined) detail.ioctlsWithArgument += 1;
      if (out?.data !== undefined || out?.arg !== undefined) detail.ioctlsWithOutput += 1;
      if ((handle.kind === 'partition' || handle.kind === 'vp') && handle.partition === undefined)
        detail.handlesWithoutId += 1;
    } else if (event.kind === 'hypercall') {
      if (event.input !== undefined) detail.hypercallsWithInput += 1;
    } else if (event.kind === 'msr') {
      if (event.cpu === undefined && event.vp === undefined) detail.msrsWithoutCpu += 1;
      if (isSynic(event.msr)) detail[event.dir === 'read' ? 'synicReads' : 'synicWrites'] += 1;
    }
  }

  /** The answer of an ioctl that was taken before it returned holds an output. */
  answered(): void {
    this.#detail.ioctlsWithOutput += 1;
  }

  get depth(): TraceDepth {
    return { kinds: Object.fromEntries(this.#kinds), detail: { ...this.#detail } };
  }
}

/** One row a question: when it stands open, and why. The order is that in which they are told. */
const ROWS: readonly {
  readonly question: string;
  readonly why: string;
  readonly open: (count: (kind: EventKind) => number, profile: Profile, detail?: TraceDetail) => boolean;
}[] = [
  {
    question: 'what the state was before the recording',
    why: 'it began in the middle of the life of the machine',
    open: (_, { initial }) => initial === 'unknown',
  },
  {
    question: 'what a VMM asked of the driver',
    why: 'no ioctl is recorded',
    open: (count, { kernel }) => kernel === 'unknown' && count('ioctl') === 0,
  },
  {
    question: 'what the ioctls asked for',
    why: 'their arguments are not recorded',
    open: (count, _, detail) => detail?.ioctlsWithArgument === 0 && count('ioctl') > 0,
  },
  {
    question: 'why VPs stopped and what calls gave back',
    why: 'the buffers that ioctls fill are not recorded',
    open: (count, _, detail) =>
      detail?.ioctlsWithOutput === 0 && count('ioctl') > 0 && count('intercept') === 0,
  },
  {
    question: 'which partition and VP a handle is',
    why: 'ids of the hypervisor are not recorded',
    open: (_count, _profile, detail) => (detail?.handlesWithoutId ?? 0) > 0,
  },
  {
    question: 'which hypercalls were made',
    why: 'none is recorded, and none is derived while the kernel is unknown',
    open: (count, { kernel }) => kernel === 'unknown' && count('hypercall') === 0,
  },
  {
    question: 'what the hypercalls asked for',
    why: 'their input is not recorded',
    open: (count, _, detail) => detail?.hypercallsWithInput === 0 && count('hypercall') > 0,
  },
  {
    question: 'who wrote a register of the SynIC',
    why: 'no MSR access is recorded, and none is derived while the kernel is unknown',
    open: (count, { kernel }) => kernel === 'unknown' && count('msr') === 0,
  },
  {
    question: 'what was written to the SynIC',
    why: 'it is read and never written: newer kernels write it past the trace point, and no probe was set',
    open: (_count, _profile, detail) => (detail?.synicReads ?? 0) > 0 && detail?.synicWrites === 0,
  },
  {
    question: 'on which CPU a register was accessed',
    why: 'the text of some accesses does not say it',
    open: (_count, _profile, detail) => (detail?.msrsWithoutCpu ?? 0) > 0,
  },
  {
    question: 'what messages the SynIC delivered',
    why: 'none is recorded, and none is derived while the kernel is unknown',
    open: (count, { kernel }) => kernel === 'unknown' && count('message') === 0,
  },
];

/** The questions that a trace of that depth cannot answer, the widest first. Without detail only those that the kinds of event tell. */
export function blindSpots(profile: Profile, { kinds, detail }: TraceDepth): readonly BlindSpot[] {
  const count = (kind: EventKind): number => kinds[kind] ?? 0;
  return ROWS.filter(({ open }) => open(count, profile, detail)).map(({ question, why }) => ({
    question,
    why,
  }));
}
