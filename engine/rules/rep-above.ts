import { fieldOf, highHalf, hypercalls, readU32 } from '../abi/index.ts';
import { codeOf } from '../replay/describe.ts';
import type { HypercallEvent, IoctlEvent } from '../trace/event.ts';
import { CaseBook } from './case-book.ts';
import type { Moment } from './open-finding.ts';
import type { Judge, RuleInput } from './rule.ts';
import { isPassthrough } from './track/maker.ts';

/** Calls whose answer above is not known yet. */
const MAX_OPEN = 256;
const CODE = fieldOf('mshv_root_hvcall', 'code');
const REPS = fieldOf('mshv_root_hvcall', 'reps');

/** A call that a layer makes for one that it was asked for. */
interface Inner {
  readonly event: HypercallEvent;
  readonly moment: Moment;
  /** Calls of that code which it made. */
  readonly calls: number;
}

/** A guest’s call that a layer below it answers by calls of its own. */
interface Outer {
  readonly event: HypercallEvent;
  readonly moment: Moment;
  inner: Inner | undefined;
}

/** The part of R07 that is about answers: who passes a call on answers with the count that it got. */
export function judgeAnswerAbove(rule: string, input: RuleInput): Judge {
  const cases = new CaseBook(rule, input);
  const guests = new Map<number, Outer>();

  function found(inner: Inner, name: string, got: number, told: number, above: Moment): void {
    const component = inner.event.component ?? 'unknown';
    const finding = cases.open(
      { cause: [component, 'answer', name], severity: 'error', component, culprit: inner.moment },
      {
        title: `${component} passes ${name} on, of which ${got} elements were completed, and answers that ${told} were`,
        fix: `let ${component} answer with the count of elements that were completed, or undo them and answer 0`,
      },
    );
    if (!finding.concerns(name)) return;
    finding.prove(above);
    finding.prove(inner.moment);
  }

  /** Everything that follows from a guest’s call has happened. */
  function close({ event, moment, inner }: Outer): void {
    const got = inner?.event.result?.reps;
    const told = event.result?.reps;
    // More than one call: it may have undone what was completed, or have split the work.
    if (inner === undefined || inner.calls !== 1 || got === undefined || told === undefined) return;
    if (repsOf(inner.event) !== repsOf(event) || got === told) return;
    found(inner, hypercalls.name(codeOf(event.control)), got, told, moment);
  }

  /** The last call made for an ioctl; what another thread does in between leaves nothing to compare. */
  let last: HypercallEvent | undefined;
  let lastParent = 0;

  /** A layer makes a call while a guest waits for the answer to one of the same code. */
  function calledWhile(event: HypercallEvent): void {
    for (const [seq, outer] of guests) {
      const { event: waiting } = outer;
      if (waiting.tEnd === undefined || event.t >= waiting.tEnd) {
        guests.delete(seq);
        close(outer);
      } else if (codeOf(waiting.control) === codeOf(event.control)) {
        outer.inner = { event, moment: input.now(), calls: (outer.inner?.calls ?? 0) + 1 };
      }
    }
  }

  function answeredProgram(event: IoctlEvent, inner: HypercallEvent): void {
    const told = event.out?.arg;
    const got = inner.result?.reps;
    if (told === undefined || got === undefined || !isPassthrough(event)) return;
    const code = readU32(told, CODE);
    if (code !== codeOf(inner.control) || repsOf(inner) === 0 || readU32(told, REPS) === got) return;
    const moment = input.now();
    found({ event: inner, moment, calls: 1 }, hypercalls.name(code), got, readU32(told, REPS), moment);
  }

  return {
    step({ event, parent, returned }) {
      if (event.kind === 'ioctl') {
        if (returned && last !== undefined && lastParent === event.seq) answeredProgram(event, last);
        return;
      }
      if (event.kind !== 'hypercall') return;
      if (event.vp === undefined && event.component !== 'guest') {
        if (parent !== undefined) {
          last = event;
          lastParent = parent.seq;
        }
        if (guests.size > 0) calledWhile(event);
        return;
      }
      if (event.tEnd === undefined) return;
      guests.set(event.seq, { event, moment: input.now(), inner: undefined });
      for (const [seq, oldest] of guests) {
        if (guests.size <= MAX_OPEN) break;
        guests.delete(seq);
        close(oldest);
      }
    },
    end() {
      for (const outer of guests.values()) close(outer);
      cases.report();
    },
  };
}

function repsOf({ control }: HypercallEvent): number {
  return highHalf(control) & 0xfff;
}
