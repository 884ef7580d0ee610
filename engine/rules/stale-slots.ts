import type { MessageEvent } from '../trace/event.ts';
import { type Moment, OpenFinding } from './open-finding.ts';
import type { Judge, RuleInput } from './rule.ts';
import { BOUNDARIES, type Boundary } from './track/boundary.ts';
import { pageRegister } from './track/page-registers.ts';
import { PAGES } from './track/page-tracker.ts';
import { MAX_CPUS, SINT_COUNT, synicPath } from './track/synic-registers.ts';
import { list } from './words.ts';

const SIMP = pageRegister('SIMP');

/** The slots of a CPU that hold a message nobody has taken out. */
type Slots = Map<number, Moment>;

/**
 * The part of R03 about what is in a page: after a crash the message pages of other CPUs stay on, and a message left in a
 * slot keeps every later one from the next kernel (Linux 7.2 drivers/hv/vmbus_drv.c, vmbus_wait_for_unload).
 */
export function judgeStaleSlots(rule: string, input: RuleInput): Judge {
  const boundaries = input.tracker(BOUNDARIES);
  const pages = input.tracker(PAGES);
  const filled = new Map<number, Slots>();
  const findings = new Map<string, OpenFinding>();
  const cpus = new Map<string, Set<number>>();
  /** Whether slots that are emptied are in the trace at all. */
  let sawClear = false;

  function message({ what, vp, cpu, sint }: MessageEvent): void {
    if (vp !== undefined || cpu === undefined || cpu >= MAX_CPUS || sint >= SINT_COUNT) return;
    if (what === 'deliver') {
      const slots = filled.get(cpu) ?? new Map();
      filled.set(cpu, slots);
      slots.set(sint, input.now());
    } else if (what === 'clear') {
      sawClear = true;
      filled.get(cpu)?.delete(sint);
    }
  }

  function crashed(moment: Moment): void {
    for (const page of sawClear ? pages.own() : []) {
      if (page.register !== SIMP || page.on !== true || page.by === undefined) continue;
      const { cpu } = page.owner;
      const { component } = page.by;
      const slots = [...(filled.get(cpu) ?? [])].sort(([a], [b]) => a - b);
      for (const [sint, delivered] of slots) {
        // What waited when the page was off is gone.
        if (delivered.step < page.by.moment.step) continue;
        const cause = [component, 'crash', 'slots'];
        let found = findings.get(component);
        if (found === undefined) {
          found = new OpenFinding({ rule, cause, severity: 'error', component, culprit: moment });
          findings.set(component, found);
          input.begun(found);
        }
        if (found.concerns(`${synicPath(cpu, false)}.slot[${sint}].filled`, cpu)) found.prove(delivered);
        cpus.set(component, (cpus.get(component) ?? new Set()).add(cpu));
      }
    }
  }

  function ended({ what, succeeded, moment }: Boundary): void {
    if (what === 'crash' && succeeded) crashed(moment);
    if (what === 'kexec' || what === 'crash' || what === 'reboot') filled.clear();
  }

  return {
    step({ event }) {
      if (event.kind === 'message') message(event);
      else if (event.kind === 'lifecycle') for (const boundary of boundaries.ended) ended(boundary);
    },
    end() {
      for (const boundary of boundaries.last()) ended(boundary);
      for (const [component, finding] of findings) {
        const where = [...(cpus.get(component) ?? [])].map((cpu) => `CPU ${cpu}`);
        const title = `messages are left in slots of ${list(where)}, so that the next kernel gets none there`;
        input.report(
          finding.close(
            title,
            `let ${component} empty the message slots of all CPUs before the next kernel runs`,
          ),
        );
      }
    },
  };
}
