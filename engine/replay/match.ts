import type { Emitted, HypercallRequest, Request } from '../machine/child.ts';
import type { TraceEvent } from '../trace/event.ts';
import { formatHandle, type Handle } from '../trace/handle.ts';
import type { Address } from '../trace/position.ts';
import { compareBytes, type Verdict } from './compare.ts';
import { codeOf } from './describe.ts';

const PAGE_OFFSET_MASK = 0xfffn;

/** Whether a recorded event is the one that the engine expects, its values aside. */
export function sameEvent(expected: Request | Emitted, event: TraceEvent): boolean {
  if (expected.kind !== event.kind) return false;
  // A thread that makes a hypercall may run on any CPU, and its recorder may not have seen on which.
  if (expected.kind !== 'hypercall' && expected.cpu !== event.cpu) return false;
  switch (expected.kind) {
    case 'msr':
      return event.kind === 'msr' && expected.msr === event.msr && expected.dir === event.dir;
    case 'hypercall':
      return event.kind === 'hypercall' && codeOf(expected.control) === codeOf(event.control);
    case 'lifecycle':
      return (
        event.kind === 'lifecycle' &&
        expected.what === event.what &&
        (expected.phase ?? 'begin') === (event.phase ?? 'begin') &&
        expected.component === event.component
      );
    case 'message':
      return event.kind === 'message' && expected.what === event.what && expected.sint === event.sint;
    case 'intercept':
      return (
        event.kind === 'intercept' &&
        expected.vp.partition === event.vp.partition &&
        expected.vp.vp === event.vp.vp
      );
    case 'fd':
      return event.kind === 'fd' && expected.what === event.what && sameFile(expected.handle, event.handle);
    case 'page':
      return event.kind === 'page' && expected.what === event.what && expected.page === event.page;
    case 'mark':
      return event.kind === 'mark' && expected.what === event.what;
  }
}

function sameFile(a: Handle | undefined, b: Handle | undefined): boolean {
  return a === undefined || b === undefined ? a === b : formatHandle(a) === formatHandle(b);
}

/** What is bound goes on to the end of the input, however long that is. */
function boundIn(bound: HypercallRequest['bound'], { length }: Uint8Array): HypercallRequest['bound'] {
  return bound === undefined || bound[1] <= length ? bound : [bound[0], length];
}

/** Compares what a driver asked for, or the hypervisor made, with the recorded event; answers come later. */
export function compareRequest(
  expected: Request | Emitted,
  event: TraceEvent,
  at: Address,
  verdict: Verdict,
  countBound: (reason: NonNullable<(Request & { kind: 'msr' })['bind']>) => void,
): void {
  const rule = 'drivers.sequence';
  verdict.field(at, 'component', expected.component, event.component, rule);
  if (expected.kind === 'msr' && event.kind === 'msr') {
    verdict.field(at, 'nested', expected.nested ?? false, event.nested ?? false, rule);
    if (expected.dir === 'read') return;
    const [own, recorded] = [expected.value ?? 0n, event.value ?? 0n];
    if (expected.bind === undefined) {
      verdict.field(at, 'value', own, recorded, rule);
      return;
    }
    countBound(expected.bind);
    verdict.field(at, 'value', own & PAGE_OFFSET_MASK, recorded & PAGE_OFFSET_MASK, rule);
  } else if (expected.kind === 'hypercall' && event.kind === 'hypercall') {
    const form = expected.forms?.find(({ control }) => control === event.control) ?? expected;
    verdict.field(at, 'control', form.control, event.control, rule);
    if (event.input === undefined) return;
    if (expected.bind !== undefined) countBound(expected.bind);
    const bound = boundIn(expected.bound, form.input);
    compareBytes(at, 'input', form.input, event.input, verdict, rule, bound);
  } else if (expected.kind === 'lifecycle' && event.kind === 'lifecycle') {
    verdict.field(at, 'ret', expected.ret, event.ret, rule);
  } else if (expected.kind === 'intercept' && event.kind === 'intercept') {
    verdict.field(at, 'type', expected.type, event.type, rule);
    if (event.payload !== undefined) {
      compareBytes(at, 'payload', expected.payload ?? new Uint8Array(0), event.payload, verdict, rule);
    }
  } else if (expected.kind === 'message' && event.kind === 'message') {
    verdict.field(at, 'reason', expected.reason, event.reason, rule);
    verdict.field(at, 'flags', expected.flags ?? 0, event.flags ?? 0, rule);
    verdict.field(at, 'flag', expected.flag, event.flag, rule);
    verdict.field(at, 'vector', expected.vector, event.vector, rule);
    if (event.slot !== undefined) {
      compareBytes(at, 'slot', expected.slot ?? new Uint8Array(0), event.slot, verdict, rule);
    }
  }
}
