import type { Answer, DriverRun, Emitted, Outcome, Request } from '../machine/child.ts';
import type { DriverStimulus } from '../machine/sides.ts';
import type { LifecycleEvent, TraceEvent } from '../trace/event.ts';

/** Whether the kernel's side may have a handler for it. */
export function isDriven(event: TraceEvent): event is DriverStimulus {
  // One look at the kind: events have many shapes, and each look costs.
  switch (event.kind) {
    case 'lifecycle':
      return event.phase !== 'end';
    case 'message':
      return event.what === 'event';
    case 'ioctl':
    case 'fd':
    case 'intercept':
      return true;
    case 'msr':
    case 'hypercall':
      // A guest's: the hypervisor may tell the kernel something because of it.
      return event.vp !== undefined;
    default:
      return false;
  }
}

/** Who writes to the store on account of an event. */
export function componentOf(event: TraceEvent): string {
  const { component } = event;
  if (component !== undefined) return component;
  if (event.kind === 'intercept') return 'hypervisor';
  return event.kind === 'ioctl' || event.kind === 'fd' ? 'mshv' : 'unknown';
}

/** The rule behind an answer. */
export function ruleOf(answer: Answer): string | undefined {
  return answer.kind === 'none' ? undefined : answer.rule;
}

/** The end of a life-cycle step that a driver brought to its end. */
export function endOf(event: LifecycleEvent, ret: number): Emitted {
  return {
    kind: 'lifecycle',
    what: event.what,
    phase: 'end',
    ret,
    ...(event.component === undefined ? {} : { component: event.component }),
    ...(event.cpu === undefined ? {} : { cpu: event.cpu }),
    ...(event.partition === undefined ? {} : { partition: event.partition }),
  };
}

/** The driver has something to ask; else what it came to is known at once. */
export function isRun(entered: DriverRun<Outcome> | Outcome): entered is DriverRun<Outcome> {
  return (entered as Partial<DriverRun<Outcome>>).next !== undefined;
}

/** A run without a result where one with an outcome is expected. */
export function* asOutcome(run: Generator<Request, void, Answer>): Generator<Request, undefined, Answer> {
  yield* run;
  return undefined;
}
