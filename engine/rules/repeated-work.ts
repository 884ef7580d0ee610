import { hypercalls, lowHalf, sameBytes } from '../abi/index.ts';
import type { HypercallEvent } from '../trace/event.ts';
import { CaseBook } from './case-book.ts';
import type { Moment } from './open-finding.ts';
import type { Judge, RuleInput } from './rule.ts';
import { SUCCESS } from './track/hypercall.ts';

/** Rep calls that are of no use a second time: the pages are given, mapped, unmapped, shared, imported. */
const ONCE: ReadonlySet<number> = new Set(
  [
    'DEPOSIT_MEMORY',
    'MAP_GPA_PAGES',
    'UNMAP_GPA_PAGES',
    'MODIFY_SPARSE_GPA_PAGE_HOST_VISIBILITY',
    'ACQUIRE_SPARSE_SPA_PAGE_HOST_ACCESS',
    'RELEASE_SPARSE_SPA_PAGE_HOST_ACCESS',
    'IMPORT_ISOLATED_PAGES',
  ].map((name) => hypercalls.number(name)),
);
/** Callers that are followed at once. */
const MAX_CALLERS = 1024;

/** A rep call that did all of its elements. */
interface Done {
  readonly control: bigint;
  readonly input: Uint8Array;
  readonly moment: Moment;
}

/** The part of R06 about rep calls: what is completed is not done once more. */
export function judgeRepeatedWork(rule: string, input: RuleInput): Judge {
  const cases = new CaseBook(rule, input);
  /** The call before, when it was such a call: by the number of the event it was made for, else by caller. */
  const last = new Map<number | string, Done>();

  function again(event: HypercallEvent, before: Done, component: string): void {
    const name = hypercalls.name(lowHalf(event.control) & 0xffff);
    const reps = Number((event.control >> 32n) & 0xfffn);
    const words = {
      title: `${component} makes ${name} once more after all ${reps} elements of it were completed`,
      fix: `let ${component} take bits 0..15 of the result for the status and bits 32..43 for the count, and go on behind it`,
    };
    const root = { cause: [component, 'again', name], severity: 'error', component } as const;
    cases.open({ ...root, culprit: input.now() }, words).prove(before.moment);
  }

  return {
    step(step) {
      const { event } = step;
      if (event.kind === 'ioctl' && step.returned) last.delete(event.seq);
      if (event.kind !== 'hypercall') return;
      const code = lowHalf(event.control) & 0xffff;
      if (last.size === 0 && !ONCE.has(code)) return;
      const { component, vp } = event;
      if (component === 'unknown' || (component === undefined && vp === undefined)) return;
      const who = component ?? 'guest';
      const key = step.parent?.seq ?? `${who} ${event.cpu} ${event.tid} ${vp?.partition}.${vp?.vp}`;
      const before = last.get(key);
      last.delete(key);
      if (!ONCE.has(code) || event.input === undefined) return;
      if (before !== undefined && before.control === event.control && sameBytes(before.input, event.input)) {
        again(event, before, who);
      }
      const { result } = event;
      const count = Number((event.control >> 32n) & 0xfffn);
      if (result === undefined || result.status !== SUCCESS || result.reps !== count) return;
      if (last.size === MAX_CALLERS) last.clear();
      last.set(key, { control: event.control, input: event.input, moment: input.now() });
    },
    end: () => cases.report(),
  };
}
