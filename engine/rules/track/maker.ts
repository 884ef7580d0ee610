import { allIoctls } from '../../abi/index.ts';
import type { Step } from '../../replay/step.ts';
import type { HypercallEvent, IoctlEvent } from '../../trace/event.ts';
import { at } from '../../trace/position.ts';
import type { Moment } from '../open-finding.ts';
import type { Caller, CallerTracker } from './callers.ts';

/** Who made something, and where. */
export interface Maker {
  readonly component: string;
  readonly moment: Moment;
  /** The ioctl that brought it, where it is not the kernel's own. */
  readonly caller: Caller | undefined;
}

/** Fewer bytes are found in the argument of a call by chance. */
const TELLING_BYTES = 4;

const PASSTHROUGH = new Set(
  allIoctls()
    .filter((row) => row.in === 'hypercall')
    .map((row) => row.number),
);

/** MSHV_ROOT_HVCALL, and MSHV_HVCALL of the VTL driver: the hypercall is the caller's. */
export function isPassthrough({ op, handle }: IoctlEvent): boolean {
  return PASSTHROUGH.has(op) && handle.kind !== 'foreign' && handle.kind !== 'eventfd';
}

/**
 * Who made a hypercall what it is: the program where it is passed through, or where its ioctl holds the same `bytes` (some of the
 * input); a guest; else the component that made the call. Undefined where that is not known.
 */
export function makerOf(
  callers: CallerTracker,
  step: Step,
  event: HypercallEvent,
  now: () => Moment,
  bytes?: Uint8Array,
): Maker | undefined {
  const caller = callers.callerOf(step);
  if (caller !== undefined && (isPassthrough(caller.event) || holds(caller.event, bytes))) {
    return programOf(caller);
  }
  const component = event.component ?? (event.vp === undefined ? 'unknown' : 'guest');
  return component === 'unknown' ? undefined : { component, moment: now(), caller: undefined };
}

/** The program that made an ioctl. */
export function programOf(caller: Caller): Maker {
  return { component: caller.event.component ?? 'vmm', moment: caller.moment, caller };
}

/** Where the call that returns in this step was made. */
export function callThatReturns(callers: CallerTracker, step: Step): Caller | undefined {
  return callers.callerOf({ ...step, parent: at(step.address.seq) });
}

/** Where it showed, of a finding whose culprit stands elsewhere. */
export function shownBeside(culprit: Moment, now: Moment): { readonly shown?: Moment } {
  return now.step === culprit.step ? {} : { shown: now };
}

function holds({ arg, in: given }: IoctlEvent, bytes: Uint8Array | undefined): boolean {
  if (bytes === undefined || bytes.length < TELLING_BYTES) return false;
  return [arg, given].some((buffer) => buffer !== undefined && contains(buffer, bytes));
}

/** Whether `part` stands in `whole` at a multiple of 4 bytes, as members of structures do. */
function contains(whole: Uint8Array, part: Uint8Array): boolean {
  for (let from = 0; from + part.length <= whole.length; from += TELLING_BYTES) {
    if (part.every((byte, i) => whole[from + i] === byte)) return true;
  }
  return false;
}
