import { fieldOf, readU64, statuses } from '../abi/index.ts';
import { CaseBook } from './case-book.ts';
import type { Moment } from './open-finding.ts';
import type { Judge, RuleInput } from './rule.ts';
import { Frames } from './track/frames.ts';
import { type Answered, answered, SUCCESS } from './track/hypercall.ts';
import { ACCEPT, frameOf, spaceOf, VISIBILITY } from './track/page-calls.ts';

const BASE = fieldOf('hv_input_accept_gpa_pages', 'gpa_page_base');
/** Refused changes that may come to light later. */
const MAX_REFUSED = 1024;

interface Refused {
  readonly component: string;
  readonly moment: Moment;
  readonly status: number;
}

/** The pages of one partition that were accepted, and those whose change was refused before. */
interface Space {
  readonly accepted: Frames<true>;
  readonly refused: Map<bigint, Refused>;
}

/** The part of R28 that is about sharing: only what was accepted changes its visibility. */
export function judgeAcceptance(rule: string, input: RuleInput): Judge {
  const cases = new CaseBook(rule, input);
  const spaces = new Map<string, Space>();
  let complete = input.profile.initial !== 'unknown';

  function spaceNamed(name: string): Space {
    const known = spaces.get(name) ?? { accepted: new Frames<true>(), refused: new Map() };
    spaces.set(name, known);
    return known;
  }

  function found(frame: bigint, { component, moment, status }: Refused, accepted?: Moment): void {
    const finding = cases.open(
      { cause: [component, 'not-accepted'], severity: 'error', component, culprit: moment },
      {
        title: `${component} changes the host visibility of a page that was not accepted (${statuses.name(status)})`,
        fix: `let ${component} accept its pages (HVCALL_ACCEPT_GPA_PAGES) before it shares them`,
      },
    );
    if (!finding.concerns(`gpa[0x${frame.toString(16)}]`)) return;
    finding.prove(moment);
    if (accepted !== undefined) finding.prove(accepted);
  }

  function accepted(space: Space, { input: bytes, reps, control }: Answered): void {
    const first = readU64(bytes, BASE) + BigInt(control.repStart);
    const count = BigInt(Math.max(0, reps - control.repStart));
    space.accepted.add(first, count, true);
    for (const [frame, refused] of space.refused) {
      if (frame < first || frame >= first + count) continue;
      space.refused.delete(frame);
      // It had been asked for too early: this is what was missing.
      found(frame, refused, input.now());
    }
  }

  function changed(space: Space, hypercall: Answered): void {
    const { status, reps, control, component } = hypercall;
    if (status === SUCCESS || reps >= control.repCount || component === undefined) return;
    const frame = frameOf(hypercall, reps);
    if (space.accepted.get(frame) !== undefined || space.accepted.isFull) return;
    if (space.refused.size < MAX_REFUSED)
      space.refused.set(frame, { component, moment: input.now(), status });
  }

  return {
    step(step) {
      const { event } = step;
      if (event.kind === 'mark' && event.what === 'gap') {
        complete = false;
        spaces.clear();
      }
      const hypercall = event.kind === 'hypercall' ? answered(step) : undefined;
      if (hypercall?.control.code === ACCEPT) accepted(spaceNamed(spaceOf(event)), hypercall);
      else if (hypercall?.control.code === VISIBILITY) changed(spaceNamed(spaceOf(event)), hypercall);
    },
    end() {
      for (const { accepted: frames, refused } of spaces.values()) {
        // Who accepts some of its pages has to accept all that it shares; else others may have done so.
        if (complete && !frames.isEmpty) for (const [frame, change] of refused) found(frame, change);
      }
      cases.report();
    },
  };
}
