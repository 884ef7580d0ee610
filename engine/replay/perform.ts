import type { Answer, HypercallAnswer, ShownCall } from '../machine/child.ts';
import type { Machine } from '../machine/machine.ts';
import { UNMODELLED } from '../machine/unmodelled.ts';
import type { HypercallEvent, MsrEvent, TraceEvent } from '../trace/event.ts';
import type { Address } from '../trace/position.ts';
import { compareBytes, type Verdict } from './compare.ts';
import { NO_ANSWER } from './frame.ts';

/** An event that has been executed: the answer that goes on, and the event with all its answers. */
export interface Performed {
  readonly answer: Answer;
  readonly completed: TraceEvent;
}

/**
 * Executes an event on the hypervisor's side. With a verdict the recorded answers are compared with the
 * engine's. The recorded answer is the one that goes on to the driver: that is what the real one acted on.
 * `shown`: what the record of a derived hypercall's cause says of its answer.
 */
export function perform(
  machine: Machine,
  event: TraceEvent,
  address: Address,
  verdict: Verdict | undefined,
  shown?: ShownCall,
): Performed {
  switch (event.kind) {
    case 'msr':
      return performMsr(machine, event, address, verdict);
    case 'hypercall':
      return performHypercall(machine, event, address, verdict, shown);
    case 'intercept':
      return { answer: machine.intercept(event), completed: event };
    case 'message':
      machine.note(event);
      return { answer: NO_ANSWER, completed: event };
    case 'page':
      machine.page(event);
      return { answer: NO_ANSWER, completed: event };
    default:
      return { answer: NO_ANSWER, completed: event };
  }
}

function performMsr(
  machine: Machine,
  event: MsrEvent,
  address: Address,
  verdict: Verdict | undefined,
): Performed {
  const own = machine.msr(event);
  if (verdict !== undefined && event.fault !== undefined) {
    if (own.rule === UNMODELLED) {
      verdict.unmodelled++;
    } else {
      verdict.field(address, 'fault', own.fault, event.fault, own.rule);
      if (event.dir === 'read' && event.value !== undefined) {
        verdict.field(address, 'value', own.value, event.value, own.rule);
      }
    }
  }
  const fault = event.fault ?? own.fault;
  const value = event.value ?? own.value;
  const answer = fault === own.fault && value === own.value ? own : { ...own, fault, value };
  if (event.provenance === 'derived' && own.rule === UNMODELLED) return { answer, completed: event };
  // A whole answer was recorded: the event is complete as it is, which spares a copy of most events.
  const isComplete = event.fault !== undefined && event.value !== undefined;
  return { answer, completed: isComplete ? event : { ...event, fault, value } };
}

function performHypercall(
  machine: Machine,
  event: HypercallEvent,
  address: Address,
  verdict: Verdict | undefined,
  shown: ShownCall | undefined,
): Performed {
  const boundBefore = machine.boundOutputs;
  const own = machine.hypercall(shown === undefined ? event : { ...event, recorded: shown });
  if (verdict !== undefined && (event.result !== undefined || event.fault === true)) {
    const outputBound = machine.boundOutputs > boundBefore;
    if (own.rule === UNMODELLED) verdict.unmodelled++;
    else compareHypercall(event, own, address, verdict, outputBound);
  }
  const result = event.result ?? own.result;
  const output = event.output ?? own.output;
  const fault = event.fault ?? own.fault ?? false;
  const { kind, rule, emitted } = own;
  // Written out: a copy by spreading costs more than the rest, and most events of a trace come through here.
  const plain: HypercallAnswer =
    output === undefined ? { kind, result, fault, rule } : { kind, result, fault, rule, output };
  const answer = emitted === undefined ? plain : { ...plain, emitted };
  const isComplete = event.result !== undefined && !fault && output === event.output;
  if (isComplete) return { answer, completed: event };
  // An answer that was recorded stays as it was; the engine's own says that there was no fault.
  const completed = output === undefined ? event : { ...event, output };
  if (fault) return { answer, completed: { ...completed, fault } };
  return {
    answer,
    completed: event.result === undefined ? { ...completed, result, fault } : { ...completed, result },
  };
}

function compareHypercall(
  event: HypercallEvent,
  own: Answer & { kind: 'hypercall' },
  address: Address,
  verdict: Verdict,
  outputBound: boolean,
): void {
  verdict.field(address, 'fault', own.fault ?? false, event.fault ?? false, own.rule);
  if (event.result !== undefined) {
    verdict.field(address, 'status', own.result.status, event.result.status, own.rule);
    verdict.field(address, 'reps', own.result.reps, event.result.reps, own.rule);
  }
  if (event.output !== undefined && !outputBound) {
    compareBytes(address, 'output', own.output ?? new Uint8Array(0), event.output, verdict, own.rule);
  }
}
