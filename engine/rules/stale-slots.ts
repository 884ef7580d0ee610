import type { MessageEvent } from '../trace/event.ts';
import type { Moment } from './open-finding.ts';
import { OpenFindings } from './open-findings.ts';
import type { Judge, RuleInput } from './rule.ts';
import { BOUNDARIES, type Boundary } from './track/boundary.ts';
import { pageRegister } from './track/page-registers.ts';
import { PAGES } from './track/page-tracker.ts';
import { MAX_CPUS, SINT_COUNT, synicPath } from './track/synic-registers.ts';
import { list } from './words.ts';

const SIMP = pageRegister('SIMP');
const MESSAGE_PAGES = [SIMP, pageRegister('NESTED_SIMP')];

/** The slots of a CPU that hold a message nobody has taken out. */
type Slots = Map<number, Moment>;

/**
 * The part of R03 about what is in a page: the message pages of CPUs that nobody reaches in a crash stay on, and a message left in a
 * slot keeps every later one from the next kernel (Linux 7.2 drivers/hv/vmbus_drv.c, vmbus_wait_for_unload).
 */
export function judgeStaleSlots(rule: string, input: RuleInput): Judge {
  const boundaries = input.tracker(BOUNDARIES);
  const pages = input.tracker(PAGES);
  const filled = new Map<number, Slots>();
  const findings = new OpenFindings(rule, input);
  const cpus = new Map<string, Set<number>>();
  /** Who last emptied a slot; nobody where that is not in the trace at all. */
  let reader: string | undefined;

  function message({ what, vp, cpu, sint, component = 'unknown' }: MessageEvent): void {
    if (vp !== undefined || cpu === undefined || cpu >= MAX_CPUS || sint >= SINT_COUNT) return;
    if (what === 'deliver') {
      const slots = filled.get(cpu) ?? new Map();
      filled.set(cpu, slots);
      slots.set(sint, input.now());
    } else if (what === 'clear') {
      reader = component;
      filled.get(cpu)?.delete(sint);
    }
  }

  /** What waited when the page was switched off is gone. */
  function isDropped(cpu: number, delivered: Moment): boolean {
    const own = pages.partitionOf({})?.of(cpu);
    return MESSAGE_PAGES.some((register) => {
      const page = own?.find(register);
      return page !== undefined && page.on !== true && page.written > delivered.step;
    });
  }

  function handedOver(moment: Moment): void {
    for (const [cpu, slots] of [...filled].sort(([a], [b]) => a - b)) {
      const page = pages.partitionOf({})?.of(cpu).find(SIMP);
      for (const [sint, delivered] of slots) {
        if (isDropped(cpu, delivered)) continue;
        const cell = `${synicPath(cpu, false)}.slot[${sint}].filled`;
        if (page?.blamed !== undefined) {
          page.blamed.explains(cell, delivered);
          continue;
        }
        const component = page?.by?.component ?? reader ?? 'unknown';
        const cause = [component, 'slots'];
        const found = findings.of({ cause, severity: 'error', component, culprit: moment });
        if (found.concerns(cell, cpu)) found.prove(delivered);
        cpus.set(component, (cpus.get(component) ?? new Set()).add(cpu));
      }
    }
  }

  function ended({ what, succeeded, moment }: Boundary): void {
    if ((what === 'crash' || what === 'kexec') && succeeded && reader !== undefined) handedOver(moment);
    if (what === 'kexec' || what === 'crash' || what === 'reboot') filled.clear();
  }

  return {
    step({ event }) {
      if (event.kind === 'message') message(event);
      else if (event.kind === 'lifecycle') for (const boundary of boundaries.ended) ended(boundary);
    },
    end() {
      for (const boundary of boundaries.last()) ended(boundary);
      for (const finding of findings.all()) {
        const { component } = finding.root;
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
