import { lowHalf } from '../abi/index.ts';
import type { Emitted, Request } from '../machine/child.ts';
import type { TraceEvent } from '../trace/event.ts';

const CODE_MASK = 0xffff;

/** The call code of a control word (TLFS, hypercall inputs: bits 0 to 15). */
export function codeOf(control: bigint): number {
  return lowHalf(control) & CODE_MASK;
}

/** In a few words, for a divergence: `write of MSR 0x40000082 by mshv on cpu 0`. */
export function describe(event: Request | Emitted | TraceEvent): string {
  const where = event.cpu === undefined ? '' : ` on cpu ${event.cpu}`;
  const who = event.component === undefined ? '' : ` by ${event.component}`;
  switch (event.kind) {
    case 'msr':
      return `${event.dir} of MSR 0x${event.msr.toString(16)}${who}${where}`;
    case 'hypercall':
      return `hypercall 0x${codeOf(event.control).toString(16)}${who}${where}`;
    case 'lifecycle':
      return `${event.what} ${event.phase ?? 'begin'}${who}${where}`;
    case 'message':
    case 'page':
    case 'mark':
    case 'fd':
      return `${event.kind} ${event.what}${who}${where}`;
    default:
      return `${event.kind}${who}${where}`;
  }
}
