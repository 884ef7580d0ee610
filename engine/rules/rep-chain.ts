import { highHalf, hypercalls, statuses } from '../abi/index.ts';
import type { Step } from '../replay/step.ts';
import { CaseBook } from './case-book.ts';
import type { Moment } from './open-finding.ts';
import type { Judge, RuleInput } from './rule.ts';
import { CALLERS } from './track/callers.ts';
import { answered, isShortage, SUCCESS } from './track/hypercall.ts';
import { makerOf } from './track/maker.ts';
import { isHost } from './track/partition-tracker.ts';
import { elementsOf, frameAfter, isSameWork, MAP, type RepCall, repCall, UNMAP } from './track/rep-call.ts';

/** Chains of calls that are followed at once: one for each component, call and partition. */
const MAX_CHAINS = 4096;

/** A call that ended before its last element, and should go on there. */
interface Unfinished {
  readonly step: Step;
  readonly rep: RepCall;
  readonly moment: Moment;
}

/** The part of R07 that is about the next call: it goes on where the one before ended. */
export function judgeChains(rule: string, input: RuleInput): Judge {
  const callers = input.tracker(CALLERS);
  const cases = new CaseBook(rule, input);
  const unfinished = new Map<string, Unfinished>();

  function found(step: Step, mistake: Mistake, before: Unfinished, rep: RepCall): void {
    const { event } = step;
    const maker = event.kind === 'hypercall' ? makerOf(callers, step, event, input.now) : undefined;
    if (maker === undefined) return;
    const name = hypercalls.name(rep.code);
    const { done, count } = before.rep;
    const ended = `${name} completed ${done} of ${count} (${statuses.name(before.rep.status)})`;
    const finding = cases.open(
      {
        cause: [maker.component, mistake, name],
        severity: 'error',
        component: maker.component,
        culprit: maker.moment,
        partition: rep.partition,
      },
      mistake === 'skipped'
        ? {
            title: `${ended}, and ${maker.component} goes on as if all were done`,
            fix: `let ${maker.component} go on by what was completed (result bits 32..43), not by what it asked for`,
          }
        : {
            title: `${ended}, and ${maker.component} submits these elements again`,
            fix: `let ${maker.component} make the call again with the rep start at what was completed, or with the rest of the list`,
          },
    );
    if (!finding.concerns(`partition[${rep.partition}]`)) return;
    finding.prove(before.moment);
    finding.prove(maker.moment);
    finding.prove(input.now());
  }

  /** A call for another ioctl, while the one that is to go on has not returned: another thread's. */
  function isOfAnother(before: Step, next: Step): boolean {
    return before.parent?.seq !== next.parent?.seq && callers.callerOf(before) !== undefined;
  }

  return {
    step(step) {
      const { event } = step;
      if (event.kind !== 'hypercall' || event.result === undefined) return;
      const { status: answer, reps } = event.result;
      // After any other failure the caller may mend what was refused, and start again.
      const partial =
        reps > 0 && (answer === SUCCESS || isShortage(answer)) && endsEarly(event.control, reps);
      if (!partial && unfinished.size === 0) return;
      const hypercall = answered(step);
      const rep = hypercall === undefined || !isHost(step) ? undefined : repCall(hypercall);
      if (rep === undefined) return;
      const key = `${event.component} ${rep.code} ${rep.partition}`;
      const before = unfinished.get(key);
      if (before !== undefined && !isOfAnother(before.step, step)) {
        const mistake = mistakeOf(before.rep, rep);
        if (mistake !== undefined) found(step, mistake, before, rep);
        unfinished.delete(key);
      }
      // What was mapped is taken back: whoever maps again begins anew.
      if (rep.code === UNMAP) unfinished.delete(`${event.component} ${MAP} ${rep.partition}`);
      if (partial && unfinished.size < MAX_CHAINS) {
        unfinished.set(key, { step, rep, moment: input.now() });
      }
    },
    end: () => cases.report(),
  };
}

/** Whether fewer elements are done than the control word asks for. */
function endsEarly(control: bigint, reps: number): boolean {
  return reps < (highHalf(control) & 0xfff);
}

type Mistake = 'skipped' | 'repeated';

/** What is wrong with the call after one that ended early; undefined where it goes on rightly, or is about something else. */
function mistakeOf(before: RepCall, next: RepCall): Mistake | undefined {
  if (isSameWork(before, next)) {
    if (next.start > before.done) return 'skipped';
    return next.start < before.done ? 'repeated' : undefined;
  }
  const [from, done, asked] = [
    frameAfter(next, next.start),
    frameAfter(before, before.done),
    frameAfter(before, before.count),
  ];
  if (from !== undefined && from === asked) return 'skipped';
  if (from !== undefined && done !== undefined && before.base !== undefined) {
    return from >= before.base && from < done && next.count >= before.count ? 'repeated' : undefined;
  }
  const [first] = elementsOf(next, next.start, next.start + 1);
  if (first === undefined || next.base !== undefined) return undefined;
  const [head, tail] = [elementsOf(before, 0, 1), elementsOf(next, next.count - 1, next.count)];
  const sameTail = tail[0] === elementsOf(before, before.count - 1, before.count)[0];
  return before.done > 0 && first === head[0] && sameTail ? 'repeated' : undefined;
}
