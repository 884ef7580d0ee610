import { msrs } from '../abi/index.ts';
import type { Finding } from './finding.ts';
import type { Moment, OpenFinding } from './open-finding.ts';
import { OpenFindings } from './open-findings.ts';
import { judgeReenlightenment } from './reenlightenment.ts';
import type { Rule } from './rule.ts';
import { BOUNDARIES, type Boundary } from './track/boundary.ts';
import { PAGE_MSRS, pageRegister } from './track/page-registers.ts';
import { PAGES, type PageTracker } from './track/page-tracker.ts';
import type { Page, PageWrite } from './track/pages.ts';
import { list } from './words.ts';

/** Pages that a kernel gives from its own memory, a frame for each CPU. */
const FROM_MEMORY = ['SIMP', 'SIEFP', 'VP_ASSIST_PAGE'].map(pageRegister);

/** R22: what names a processor is moved or disabled before it goes, and given a valid page when it comes. */
export const processorGoes: Rule = {
  id: 'R22',
  severity: 'error',
  title:
    'Something that names a processor is not moved or disabled when it goes, or has no page when it comes',
  meaning:
    'Each processor has pages of its own with the hypervisor (SIMP, SIEFP, SIRBP, VP_ASSIST_PAGE), and REENLIGHTENMENT_CONTROL names ' +
    'the one that is told of a migration. Before a processor goes offline its pages are disabled and the notification is moved to ' +
    'another one, or disabled where none is left; after a sleep it is set again. A processor that comes gets a page: frame 0 is that ' +
    'of a pointer nobody set, and the hypervisor’s page then lies over the first page of memory while its messages are lost.',
  silent: [
    'All pages of the processor are disabled when it goes; one that could not go keeps them.',
    'The notification names another processor, or the processor is back before anything else needs it.',
    'The notification was disabled by whoever enabled it; it is set again after the sleep.',
    'A root partition, which keeps the frames that the hypervisor provides.',
    'A guest all of whose processors use frame 0, as firmware may.',
    'Two processors with one frame: each sees a page of its own.',
  ],
  source:
    'Linux 7.2 arch/x86/hyperv/hv_init.c (hv_cpu_init, hv_cpu_die, hv_suspend, hv_resume), drivers/hv/hv.c (hv_synic_disable_regs); ' +
    'Linux commits “hv: allocate synic pages for all present CPUs” and “x86/hyperv: Properly suspend/resume reenlightenment notifications”',
  watches: [
    'lifecycle',
    'mark',
    {
      kind: 'msr',
      msrs: [...PAGE_MSRS.keys(), msrs.number('REENLIGHTENMENT_CONTROL'), msrs.number('VP_INDEX')],
    },
  ],
  needs: ['msr'],
  judge(input) {
    const boundaries = input.tracker(BOUNDARIES);
    const pages = input.tracker(PAGES);
    const reenlightenment = judgeReenlightenment(processorGoes.id, input);
    const { role } = input.profile;
    const isRoot = role === 'root' || role === 'nested-root';
    const findings = new OpenFindings(processorGoes.id, input);
    const cases = new Map<string, Case>();

    function found(page: Page, how: How, who: string, moment: Moment): void {
      const key = `${who} ${how}`;
      const cause = [who, how === 'offline' ? 'offline' : 'no-page'];
      const finding = findings.of({
        cause,
        severity: 'error',
        component: who,
        culprit: moment,
        ...page.owner.vp,
      });
      const known = cases.get(key) ?? new Case(finding, who, how);
      cases.set(key, known);
      known.add(page, moment);
      if (how === 'offline') pages.blame(page, known.finding);
    }

    function ended(boundary: Boundary): void {
      if (boundary.what !== 'cpu-offline' || !boundary.succeeded || boundary.isIdle) return;
      for (const page of pages.own()) {
        const { by } = page;
        // A kernel that has gone cannot clean up what it left here.
        if (by === undefined || pages.isOfEarlierKernel(by) || !isLeft(page, boundary)) continue;
        found(page, 'offline', by.component, boundary.moment);
      }
    }

    return {
      step(step, store) {
        const { event } = step;
        if (event.kind === 'lifecycle') for (const boundary of boundaries.ended) ended(boundary);
        else if (event.kind === 'msr' && !isRoot) {
          for (const write of pages.writes) {
            if (isWithoutPage(write, pages))
              found(write.page, 'frame 0', write.deed.component, write.deed.moment);
          }
        }
        reenlightenment.step(step, store);
      },
      end() {
        for (const boundary of boundaries.last()) ended(boundary);
        for (const known of cases.values()) input.report(known.close());
        reenlightenment.end();
      },
    };
  },
};

type How = 'offline' | 'frame 0';

function isLeft({ register, owner, on, by, blamed }: Page, { cpu, hasEnd, begun }: Boundary): boolean {
  if (register.scope !== 'processor' || owner.cpu !== cpu || on !== true || by === undefined) return false;
  return blamed === undefined && (hasEnd || by.moment.step < begun);
}

/** Enabled at frame 0: of a guest only where another of its processors has a page. */
function isWithoutPage({ page, byParent }: PageWrite, pages: PageTracker): boolean {
  const { register, owner, on, frame } = page;
  if (byParent || on !== true || frame !== 0n || !FROM_MEMORY.includes(register)) return false;
  if (owner.vp === undefined) return true;
  const others = [...pages.sameAs(owner)];
  return others.some((other) => other.register === register && other.on === true && other.frame !== 0n);
}

/** What one component leaves on processors that go, or gives those that come: one root cause on all of them. */
class Case {
  readonly finding: OpenFinding;
  readonly #who: string;
  readonly #how: How;
  readonly #registers = new Set<string>();

  constructor(finding: OpenFinding, who: string, how: How) {
    this.finding = finding;
    this.#who = who;
    this.#how = how;
  }

  add({ register, cell, owner, by }: Page, moment: Moment): void {
    this.#registers.add(register.name);
    if (!this.finding.concerns(cell, owner.vp === undefined ? owner.cpu : undefined)) return;
    if (by !== undefined) this.finding.prove(by.moment);
    this.finding.prove(moment);
  }

  close(): Finding {
    const [who, registers] = [this.#who, list(this.#registers)];
    const are = this.#registers.size === 1 ? 'is' : 'are';
    return this.#how === 'offline'
      ? this.finding.close(
          `${registers} of a processor that went offline ${are} still enabled`,
          `let ${who} disable ${registers} of a processor before it goes offline`,
        )
      : this.finding.close(
          `${who} enables ${registers} of a processor at frame 0`,
          `let ${who} have a page for ${registers} of each processor that can come, before it comes`,
        );
  }
}
