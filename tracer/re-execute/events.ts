import { msrs } from '../../engine/abi/index.ts';
import type { HypercallEvent, MsrEvent, PageEvent, TraceEvent } from '../../engine/trace/event.ts';
import type { Deed } from '../emulate/supervisor/deed.ts';

/** The VP of an event, where it names one. */
export interface GuestRef {
  readonly partition: bigint;
  readonly vp: number;
}

/** An event that says how far its VP had come. */
export type Stamped = TraceEvent & { readonly instructions: number };

export function guestOf({ vp }: TraceEvent): GuestRef | undefined {
  return vp?.partition === undefined || vp.vp === undefined
    ? undefined
    : { partition: vp.partition, vp: vp.vp };
}

export function isStamped(event: TraceEvent): event is Stamped {
  return event.instructions !== undefined && event.parent === undefined && guestOf(event) !== undefined;
}

/** What was written to guest memory. */
export function isMemory(event: TraceEvent): event is PageEvent {
  return event.kind === 'page' && event.page === 'ram' && event.what === 'write';
}

/** What a guest wrote to its memory. */
export function isOfGuest(event: TraceEvent): boolean {
  return isMemory(event) && event.component === 'guest';
}

export function sameGuest(one: TraceEvent, other: GuestRef): boolean {
  const ref = guestOf(one);
  return ref !== undefined && ref.partition === other.partition && ref.vp === other.vp;
}

/** What a guest does in the middle of an instruction that has to do with its APIC. */
export function isAccess(event: TraceEvent): boolean {
  const { parent, component, instructions } = event;
  if (parent !== undefined || component !== 'guest' || instructions !== undefined) return false;
  return event.kind === 'msr' || (event.kind === 'message' && event.what === 'clear');
}

export function isSameAccess(event: MsrEvent, found: Pick<MsrEvent, 'dir' | 'msr' | 'value'>): boolean {
  if (event.dir !== found.dir || event.msr !== found.msr) return false;
  return event.dir === 'read' || event.value === found.value;
}

export function describeAccess({ dir, value = 0n, msr }: Pick<MsrEvent, 'dir' | 'msr' | 'value'>): string {
  const what = dir === 'write' ? `a write of 0x${value.toString(16)} to` : 'a read of';
  return `${what} ${msrs.find(msr)?.name ?? `MSR 0x${msr.toString(16)}`}`;
}

type Call = Pick<HypercallEvent, 'control' | 'inputGpa' | 'outputGpa'>;

export function describeCall({ control, inputGpa, outputGpa }: Call): string {
  const address = (gpa: bigint | undefined) => (gpa === undefined ? 'none' : `0x${gpa.toString(16)}`);
  return `hypercall 0x${control.toString(16)}, input at ${address(inputGpa)}, output at ${address(outputGpa)}`;
}

/** What a guest did by an event, in a few words. */
export function wordsOf(event: TraceEvent): string {
  if (event.kind === 'msr') return describeAccess(event);
  return event.kind === 'hypercall' ? describeCall(event) : 'a message that it frees';
}

/** What a guest that is executed again came to, and the record must say. */
export type Told = Exclude<Deed, { kind: 'answer' }>;

/** A deed in a few words. */
export function describe(deed: Told): string {
  switch (deed.kind) {
    case 'intercept':
      return `a stop of type 0x${deed.message.type.toString(16)}`;
    case 'ring':
      return `a doorbell of port ${deed.port}`;
    case 'msr':
      return describeAccess(deed);
    case 'hypercall':
      return describeCall(deed.call);
    case 'window':
      return 'an interrupt that it takes';
    case 'idle':
      return 'HLT';
  }
}
