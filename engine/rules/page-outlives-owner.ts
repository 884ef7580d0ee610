import type { Finding } from './finding.ts';
import type { Moment, OpenFinding } from './open-finding.ts';
import { OpenFindings } from './open-findings.ts';
import type { Rule } from './rule.ts';
import { judgeStaleSlots } from './stale-slots.ts';
import { BOUNDARIES, type Boundary } from './track/boundary.ts';
import { PAGE_MSRS } from './track/page-registers.ts';
import { PAGES, pagesAt } from './track/page-tracker.ts';
import type { Page } from './track/pages.ts';
import type { Deed } from './track/synic.ts';
import { list } from './words.ts';

/** What has ended while the hypervisor still had its page. */
type End = 'failed-start' | 'stop' | 'kexec' | 'image-switch' | 'free';

const ENDINGS: Readonly<Record<End, (who: string) => string>> = {
  'failed-start': (who) => `${who} failed to start`,
  stop: (who) => `${who} stopped`,
  kexec: () => 'the kernel handed over to the next one',
  'image-switch': () => 'the kernel was replaced by the image that it restored',
  free: () => 'its memory was freed',
};
const FIXES: Readonly<Record<End, (who: string, pages: string) => string>> = {
  'failed-start': (who, pages) => `let ${who} disable ${pages} on the error path of its start`,
  stop: (who, pages) => `let ${who} disable ${pages} before it stops`,
  kexec: (who, pages) => `let ${who} disable ${pages} on every CPU before the next kernel runs`,
  'image-switch': (who, pages) =>
    `let ${who} write ${pages} once the restored kernel runs, before anything else does`,
  free: (who, pages) => `let ${who} have ${pages} disabled before it frees the page`,
};

/** R03: what the hypervisor may write to, or lays its page over, is given back before its owner ends. */
export const pageOutlivesOwner: Rule = {
  id: 'R03',
  severity: 'error',
  title: 'A page that the hypervisor may write to outlives its owner',
  meaning:
    'HYPERCALL, REFERENCE_TSC, VP_ASSIST_PAGE, SIMP, SIEFP and SIRBP give the hypervisor a page of the guest, to write to or to ' +
    'lay its own over. Whoever enabled one disables it before it ends: a component that stops or fails to start, a kernel ' +
    'that hands over by kexec, a kernel whose place a restored image takes, memory that is freed. Else the hypervisor ' +
    'goes on to write into what is somebody else’s memory by then, or hides it: corruption that shows much later and far ' +
    'away. After a crash the pages of the other CPUs stay, which nobody can reach; there the messages that wait in their ' +
    'slots are taken out, for while a slot is full the next kernel gets no message through it.',
  silent: [
    'A start that fails has disabled what it enabled; one that tries again has not failed.',
    'What was on before a component started, or was enabled by another one, is not its to disable.',
    'CPUs that went offline before and were cleaned then.',
    'After a crash other CPUs keep their pages: the crash kernel runs in memory of its own.',
    'A suspend keeps the same kernel; a restored image writes its own pages before it goes on.',
    'The slots of a SIMP that was disabled: the hypervisor has dropped what waited for them.',
    'The recording began mid-life, or nobody in the trace enabled the page.',
  ],
  source:
    'TLFS, overlay pages; Linux commit b9af6418279c “x86/hyperv: fix kexec crash due to VP assist page corruption”; ' +
    'Linux 7.2 arch/x86/hyperv/hv_init.c (hyperv_cleanup, hv_suspend), drivers/hv/vmbus_drv.c (vmbus_bus_init, ' +
    'vmbus_wait_for_unload)',
  watches: ['lifecycle', 'page', 'message', { kind: 'msr', msrs: [...PAGE_MSRS.keys()] }],
  needs: ['msr'],
  judge(input) {
    const boundaries = input.tracker(BOUNDARIES);
    const pages = input.tracker(PAGES);
    const slots = judgeStaleSlots(pageOutlivesOwner.id, input);
    const findings = new OpenFindings(pageOutlivesOwner.id, input);
    const cases = new Map<string, Case>();
    const { role } = input.profile;
    // The pages of a root are the hypervisor's own: nobody else comes to have them.
    const severity = role === 'root' || role === 'nested-root' ? 'warning' : 'error';
    /** The end of the last hibernation or sleep: what was enabled before it belongs to the kernel that comes back. */
    let savedAt = 0;

    function left(page: Page, end: End, moment: Moment, who: string): void {
      if (page.blamed !== undefined) {
        page.blamed.explains(page.cell, moment);
        return;
      }
      const key = `${who} ${end}`;
      const cause = [who, end];
      const finding = findings.of({ cause, severity, component: who, culprit: moment });
      const known = cases.get(key) ?? new Case(finding, who, end);
      cases.set(key, known);
      known.add(page);
      pages.blame(page, known.finding);
    }

    function ended(boundary: Boundary): void {
      const end = endOf(boundary);
      if (end !== undefined) {
        for (const page of pages.own()) {
          const { by, blamed, owner } = page;
          // Nobody is there to clean it; what it left when it went is another finding.
          if (blamed === undefined && boundaries.isAway(owner.cpu)) continue;
          if (by !== undefined && isLeft(page, by, boundary, end))
            left(page, end, boundary.moment, by.component);
        }
      }
      const { what, partition } = boundary;
      if ((what === 'save' || what === 'suspend') && partition === undefined) savedAt = boundary.moment.step;
    }

    function isLeft(page: Page, by: Deed, boundary: Boundary, end: End): boolean {
      const { step } = by.moment;
      if (
        page.on !== true ||
        (boundary.cpu !== undefined && boundary.cpu !== page.owner.cpu && end !== 'kexec')
      ) {
        return false;
      }
      switch (end) {
        case 'failed-start':
          return by.component === boundary.component && step > boundary.begun;
        case 'stop':
          return by.component === boundary.component && !pages.isOfEarlierKernel(by);
        case 'image-switch':
          return step > savedAt && step < boundary.begun && page.written < boundary.begun;
        default:
          return boundary.hasEnd || step < boundary.begun;
      }
    }

    return {
      step(step, store) {
        const { event } = step;
        if (event.kind === 'page') {
          if (event.what !== 'free') return;
          const { on, givenUp } = pagesAt(event, pages);
          if (givenUp.length > 0) return;
          for (const page of on)
            left(page, 'free', input.now(), event.component ?? page.by?.component ?? 'unknown');
          return;
        }
        if (event.kind === 'lifecycle') for (const boundary of boundaries.ended) ended(boundary);
        slots.step(step, store);
      },
      end() {
        for (const boundary of boundaries.last()) ended(boundary);
        for (const known of cases.values()) input.report(known.close());
        slots.end();
      },
    };
  },
};

function endOf({ what, succeeded, partition, inCrash }: Boundary): End | undefined {
  switch (what) {
    case 'component-start':
      return succeeded ? undefined : 'failed-start';
    case 'component-stop':
      return succeeded && !inCrash ? 'stop' : undefined;
    case 'kexec':
      return succeeded ? 'kexec' : undefined;
    case 'restore':
    case 'resume':
      return succeeded && partition === undefined ? 'image-switch' : undefined;
    default:
      return undefined;
  }
}

/** What one owner left behind at one kind of end: one root cause, on all registers and CPUs. */
class Case {
  readonly finding: OpenFinding;
  readonly #who: string;
  readonly #end: End;
  readonly #registers = new Set<string>();

  constructor(finding: OpenFinding, who: string, end: End) {
    this.finding = finding;
    this.#who = who;
    this.#end = end;
  }

  add({ register, cell, owner, by }: Page): void {
    this.#registers.add(register.name);
    if (this.finding.concerns(cell, owner.vp === undefined ? owner.cpu : undefined) && by !== undefined) {
      this.finding.prove(by.moment);
    }
  }

  close(): Finding {
    const registers = list(this.#registers);
    const still = this.#registers.size === 1 ? 'is still enabled' : 'are still enabled';
    const title = `${registers} ${still} after ${ENDINGS[this.#end](this.#who)}`;
    return this.finding.close(title, FIXES[this.#end](this.#who, registers));
  }
}
