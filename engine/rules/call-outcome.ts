import { allIoctls, errnoNumber, highHalf, hypercalls, lowHalf } from '../abi/index.ts';
import type { HypercallEvent, IoctlEvent } from '../trace/event.ts';
import { CaseBook } from './case-book.ts';
import type { Moment } from './open-finding.ts';
import type { Judge, RuleInput } from './rule.ts';
import { CALLERS } from './track/callers.ts';
import { isDone } from './track/hypercall.ts';

/** The hypercall that does the work of an ioctl, where it is not called the same. */
const WORK: Readonly<Record<string, string>> = {
  SET_GUEST_MEMORY: 'MAP_GPA_PAGES',
  MAP_GUEST_MEMORY: 'MAP_GPA_PAGES',
  ASSERT_INTERRUPT: 'ASSERT_VIRTUAL_INTERRUPT',
  IOEVENTFD: 'CONNECT_PORT',
};
/** What takes back what a call created. */
const UNDO: ReadonlyMap<number, number> = new Map(
  ['VP', 'PARTITION', 'PORT'].map((what): [number, number] => [
    hypercalls.number(`CREATE_${what}`),
    hypercalls.number(`DELETE_${what}`),
  ]),
);

/** By request number; one that means different things on different handles does the work of none of them. */
const WORK_OF: ReadonlyMap<string, number> = new Map(
  allIoctls().flatMap((row): (readonly [string, number])[] => {
    const name = row.name.replace(/^MSHV_/, '');
    const code = hypercalls.named(WORK[name] ?? name)?.value;
    if (code === undefined || row.number === undefined) return [];
    return row.fds.map((fd) => [`${row.dialect} ${fd} ${row.number}`, code] as const);
  }),
);

/** Calls that are open at once; a program has one for each thread. */
const MAX_OPEN = 4096;

/** What was done below an ioctl so far. */
interface Below {
  readonly work: number | undefined;
  /** The last answer of the call that does the work. */
  answer: { readonly status: number; readonly moment: Moment } | undefined;
  undone: Moment | undefined;
  failed: boolean;
  /** The last rep call, when all of its elements were completed. */
  rep: { readonly code: number; readonly moment: Moment } | undefined;
  readonly component: string;
}

/** The part of R06 about ioctls: they succeed and fail as the calls that they stand for. */
export function judgeCallOutcomes(rule: string, input: RuleInput): Judge {
  const callers = input.tracker(CALLERS);
  const cases = new CaseBook(rule, input);
  const open = new Map<number, Below>();
  const rfc = input.profile.kernel === 'rfc2020';
  const dialect = rfc || input.profile.kernel === 'vtl' ? input.profile.kernel : 'upstream';
  /** What a status becomes that has no errno of its own (Linux, hv_result_to_errno). */
  const telling = errnoNumber(rfc ? 'ENOTRECOVERABLE' : 'EIO');

  function did(event: HypercallEvent, below: Below): void {
    const { result, control } = event;
    if (result === undefined) return;
    const code = lowHalf(control) & 0xffff;
    const repCount = highHalf(control) & 0xfff;
    const done = isDone(result.status);
    below.failed ||= !done || result.reps < repCount;
    const isWork = code === below.work;
    const moment = isWork || repCount > 0 ? input.now() : undefined;
    below.rep = done && repCount > 0 && moment !== undefined ? { code, moment } : undefined;
    if (isWork && moment !== undefined) below.answer = { status: result.status, moment };
    const undo = below.work === undefined ? undefined : UNDO.get(below.work);
    if (code === undo && done && below.answer !== undefined && isDone(below.answer.status))
      below.undone = input.now();
  }

  function returned(event: IoctlEvent, below: Below): void {
    const { ret } = event;
    if (typeof ret !== 'number') return;
    const name = nameOf(event, dialect);
    if (ret >= 0) succeeded(name, below);
    else if (-ret === telling && !below.failed && below.rep !== undefined) failed(name, below, below.rep);
  }

  function succeeded(name: string, { work, answer, undone, component }: Below): void {
    if (work === undefined || answer === undefined) return;
    const call = hypercalls.name(work);
    const culprit = undone ?? answer.moment;
    if (undone === undefined && isDone(answer.status)) return;
    const what = undone === undefined ? `${call} failed` : `what ${call} made was deleted again`;
    const cause = [component, 'success', name];
    const words = {
      title: `${component} lets ${name} succeed although ${what}`,
      fix: `let ${component} return the error that made it clean up in ${name}`,
    };
    const finding = cases.open({ cause, severity: 'error', component, culprit, shown: input.now() }, words);
    finding.prove(answer.moment);
  }

  function failed(name: string, { component }: Below, rep: NonNullable<Below['rep']>): void {
    const words = {
      title: `${component} lets ${name} fail although ${hypercalls.name(rep.code)} completed all that it was asked for`,
      fix: `let ${component} compare bits 0..15 of the result with 0, not the whole word`,
    };
    const cause = [component, 'failure', name];
    cases.open({ cause, severity: 'error', component, culprit: rep.moment, shown: input.now() }, words);
  }

  return {
    step(step) {
      const { event } = step;
      if (event.kind === 'ioctl') {
        const below = step.returned ? open.get(event.seq) : undefined;
        if (below === undefined) return;
        open.delete(event.seq);
        returned(event, below);
      } else if (event.kind === 'hypercall') {
        const caller = callers.callerOf(step);
        if (caller === undefined) return;
        let below = open.get(caller.event.seq);
        if (below === undefined) {
          if (open.size === MAX_OPEN) open.clear();
          const work = WORK_OF.get(keyOf(caller.event, dialect));
          const component = event.component ?? 'mshv';
          below = { work, answer: undefined, undone: undefined, failed: false, rep: undefined, component };
          open.set(caller.event.seq, below);
        }
        did(event, below);
      }
    },
    end: () => cases.report(),
  };
}

function keyOf(event: IoctlEvent, dialect: string): string {
  return `${event.dialect ?? dialect} ${event.handle.kind} ${event.op}`;
}

function nameOf({ op, handle, dialect: own }: IoctlEvent, dialect: string): string {
  const named = allIoctls().find(
    (row) =>
      row.number === op && row.dialect === (own ?? dialect) && row.fds.some((fd) => fd === handle.kind),
  );
  return named?.name ?? `ioctl 0x${op.toString(16)}`;
}
