import { fieldOf, hypercalls, readU32 } from '../abi/index.ts';
import type { PageEvent, TraceEvent } from '../trace/event.ts';
import { CaseBook } from './case-book.ts';
import type { Moment } from './open-finding.ts';
import type { Judge, RuleInput } from './rule.ts';
import { Frames } from './track/frames.ts';
import { type Answered, answered } from './track/hypercall.ts';
import { ACQUIRE, completed, DEPOSIT, PROTECT, RELEASE, spaceOf, VISIBILITY } from './track/page-calls.ts';

const FLAGS = fieldOf('hv_input_modify_vtl_protection_mask', 'map_flags');
const HOST_VISIBILITY = fieldOf('hv_gpa_range_for_visibility', 'host_visibility');
const READ_WRITE = 3;
const PAGE_SHIFT = 12n;

/** What a page is closed to. */
type Door = 'a lower VTL' | 'the host';

interface Closed {
  readonly door: Door;
  readonly component: string;
  readonly moment: Moment;
}

/** The part of R28 that is about pages that were closed: they are opened before they are used for something else. */
export function judgeClosedPages(rule: string, input: RuleInput): Judge {
  const cases = new CaseBook(rule, input);
  const spaces = new Map<string, Frames<Closed>>();

  function framesOf(event: TraceEvent): Frames<Closed> {
    const name = spaceOf(event);
    const known = spaces.get(name) ?? new Frames<Closed>();
    spaces.set(name, known);
    return known;
  }

  function close(event: TraceEvent, door: Door, hypercall: Answered): void {
    const closed = { door, component: hypercall.component ?? 'unknown', moment: input.now() };
    const frames = framesOf(event);
    for (const frame of completed(hypercall)) frames.add(frame, 1n, closed);
  }

  function open(event: TraceEvent, hypercall: Answered): void {
    const frames = framesOf(event);
    for (const frame of completed(hypercall)) frames.remove(frame, 1n);
  }

  function used(event: TraceEvent, frame: bigint, how: string): void {
    const closed = spaces.get(spaceOf(event))?.get(frame);
    if (closed === undefined) return;
    const { component = 'unknown' } = event;
    const back =
      closed.door === 'the host'
        ? hypercalls.name(ACQUIRE)
        : `${hypercalls.name(PROTECT)} with the access it had`;
    const finding = cases.open(
      { cause: [component, how, closed.door], severity: 'error', component, culprit: input.now() },
      {
        title: `${component} ${how} a page that is closed to ${closed.door}`,
        fix: `let ${component} open the page again (${back}) before it ${how} it`,
      },
    );
    if (!finding.concerns(`gpa[0x${frame.toString(16)}]`)) return;
    finding.prove(closed.moment);
    finding.prove(input.now());
  }

  function usedAll(event: TraceEvent, hypercall: Answered, how: string): void {
    if (spaces.size === 0) return;
    for (const frame of completed(hypercall)) used(event, frame, how);
  }

  function onPage(event: PageEvent): void {
    if (event.gpa === undefined || (event.what !== 'free' && event.what !== 'alloc')) return;
    const frame = event.gpa >> PAGE_SHIFT;
    used(event, frame, event.what === 'free' ? 'frees' : 'hands out');
  }

  function onCall(event: TraceEvent, hypercall: Answered): void {
    switch (hypercall.control.code) {
      case PROTECT:
        if ((readU32(hypercall.input, FLAGS) & READ_WRITE) === READ_WRITE) open(event, hypercall);
        else close(event, 'a lower VTL', hypercall);
        return;
      case RELEASE:
        close(event, 'the host', hypercall);
        return;
      case ACQUIRE:
        open(event, hypercall);
        return;
      case DEPOSIT:
        usedAll(event, hypercall, 'deposits');
        return;
      case VISIBILITY:
        if (readU32(hypercall.input, HOST_VISIBILITY) !== 0) usedAll(event, hypercall, 'shares');
        return;
      default:
        return;
    }
  }

  return {
    step(step) {
      const { event } = step;
      if (event.kind === 'page') onPage(event);
      else if (
        event.kind === 'mark' ? event.what === 'gap' : event.kind === 'lifecycle' && event.phase === 'end'
      ) {
        spaces.clear();
      } else {
        const hypercall = answered(step);
        if (hypercall !== undefined) onCall(event, hypercall);
      }
    },
    end: () => cases.report(),
  };
}
