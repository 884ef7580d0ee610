import type { DriverRun, Emitted } from '../../machine/child.ts';
import type { LifecycleEvent } from '../../trace/event.ts';

/** A step of a life cycle inside another one, so that what it does stands below it. */
export function* step<Result>(
  what: LifecycleEvent['what'],
  component: string,
  run: DriverRun<Result>,
  ret: (result: Result) => number | undefined,
): DriverRun<Result> {
  yield { kind: 'lifecycle', what, component, phase: 'begin' };
  const result = yield* run;
  const value = ret(result);
  if (value !== undefined) yield { kind: 'lifecycle', what, component, phase: 'end', ret: value };
  return result;
}

/** A remark in the trace. */
export function remark(component: string, cpu: number, text: string): Emitted {
  return { kind: 'mark', what: 'note', component, cpu, text };
}
