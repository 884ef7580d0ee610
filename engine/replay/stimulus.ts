import type { Answer, Emitted, Request } from '../machine/child.ts';
import type { DriverStimulus } from '../machine/sides.ts';
import type { LifecycleEvent, TraceEvent } from '../trace/event.ts';

/** Whether the kernel's side may have a handler for it. */
export function isDriven(event: TraceEvent): event is DriverStimulus {
  if (event.kind === 'lifecycle') return event.phase !== 'end';
  return event.kind === 'ioctl' || event.kind === 'fd' || event.kind === 'intercept';
}

/** Who writes to the store on account of an event. */
export function componentOf(event: TraceEvent): string {
  if (event.component !== undefined) return event.component;
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

/** A run without a result where one with an outcome is expected. */
export function* asOutcome(run: Generator<Request, void, Answer>): Generator<Request, undefined, Answer> {
  yield* run;
  return undefined;
}
