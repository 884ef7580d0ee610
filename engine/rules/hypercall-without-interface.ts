import { hypercalls, lowHalf } from '../abi/index.ts';
import type { HypercallEvent } from '../trace/event.ts';
import type { OpenFinding } from './open-finding.ts';
import { OpenFindings } from './open-findings.ts';
import type { Rule } from './rule.ts';
import { HYPERCALL, PAGE_MSRS } from './track/page-registers.ts';
import { PAGES } from './track/page-tracker.ts';
import { list } from './words.ts';

/** What a caller gets that looks for its page first and finds none: all ones, and nothing was called (Linux 7.2 hv_do_hypercall). */
const NOT_CALLED = { status: 0xffff, reps: 0xfff };

interface Case {
  readonly caller: string;
  readonly closer: string;
  readonly calls: Set<string>;
}

/** R04: no hypercalls once the hypercall page or the guest's identity is gone. */
export const hypercallWithoutInterface: Rule = {
  id: 'R04',
  severity: 'error',
  title: 'A hypercall is made after the hypercall page was switched off',
  meaning:
    'A guest makes hypercalls through the page that HYPERCALL enables, for as long as GUEST_OS_ID says who it is: writing 0 there ' +
    'switches the page off as well. Who calls afterwards calls into memory that holds no code any more, a crash in the ' +
    'middle of a tear-down, or gets #UD or a status that nobody expects. So both are the last that a kernel clears, after ' +
    'the last message is posted and the last event signalled.',
  silent: [
    'HYPERCALL was enabled again before the call.',
    'Another partition, or another VTL of it, has a page of its own.',
    'The caller looked first and did not call (the result is all ones).',
    'The next kernel, after the end of a kexec or a crash; a guest that was reset or restored.',
    'The recording began mid-life, or nobody in it switched the page off.',
  ],
  source:
    'TLFS, establishing the hypercall interface (HV_X64_MSR_GUEST_OS_ID, HV_X64_MSR_HYPERCALL); Linux commit “Drivers: hv: don’t do ' +
    'hypercalls when hypercall_page is NULL”; Linux 7.2 arch/x86/hyperv/hv_init.c (hyperv_cleanup)',
  watches: ['hypercall', { kind: 'msr', msrs: [...PAGE_MSRS.keys()] }],
  needs: ['hypercall', 'msr'],
  judge(input) {
    const pages = input.tracker(PAGES);
    const findings = new OpenFindings(hypercallWithoutInterface.id, input);
    const cases = new Map<OpenFinding, Case>();
    return {
      step({ event, returned }) {
        if (event.kind !== 'hypercall' || returned) return;
        const page = pages.partitionOf(event)?.shared.find(HYPERCALL);
        if (page?.on !== false || isSkipped(event)) return;
        const moment = input.now();
        if (page.blamed !== undefined) {
          page.blamed.explains(page.cell, moment);
          return;
        }
        const { offBy } = page;
        if (offBy === undefined) return;
        const caller = event.component ?? (event.vp === undefined ? 'unknown' : 'guest');
        const cause = [caller, 'after', offBy.component];
        const root = {
          cause,
          severity: 'error',
          component: caller,
          culprit: moment,
          ...page.owner.vp,
        } as const;
        const finding = findings.of(root);
        const known = cases.get(finding) ?? { caller, closer: offBy.component, calls: new Set() };
        cases.set(finding, known);
        if (finding.concerns(page.cell)) finding.prove(offBy.moment);
        known.calls.add(hypercalls.name(lowHalf(event.control) & 0xffff));
      },
      end() {
        for (const [finding, { caller, closer, calls }] of cases) {
          const title = `${caller} makes hypercalls (${list(calls)}) after ${closer} switched the hypercall page off`;
          const fix = `let ${closer} clear HYPERCALL and GUEST_OS_ID after the last hypercall of ${caller}`;
          input.report(finding.close(title, fix));
        }
      },
    };
  },
};

function isSkipped({ result }: HypercallEvent): boolean {
  return result?.status === NOT_CALLED.status && result.reps === NOT_CALLED.reps;
}
