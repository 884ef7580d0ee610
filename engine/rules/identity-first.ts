import { OpenFindings } from './open-findings.ts';
import type { Rule } from './rule.ts';
import { PAGE_MSRS } from './track/page-registers.ts';
import { GUEST_OS_ID, PAGES, type PagesOfPartition } from './track/page-tracker.ts';
import type { PageWrite } from './track/pages.ts';

/** R31: who one is comes before the hypercall page. */
export const identityFirst: Rule = {
  id: 'R31',
  severity: 'error',
  title: 'The hypercall page is enabled by a guest that has not said who it is',
  meaning:
    'A guest writes GUEST_OS_ID before it enables HYPERCALL. While the identity is 0 the enable bit does not stay, and no fault tells ' +
    'so: the page holds no code, and the first hypercall is a call into whatever is there. The hypercalls that fail because of it ' +
    'are part of the proof.',
  silent: [
    'GUEST_OS_ID is written first.',
    'HYPERCALL is written without the enable bit, as when it is cleared after the identity.',
    'A parent sets the registers of its guest, in any order.',
    'GUEST_OS_ID is not in the trace at all: it may not have been recorded.',
  ],
  source: 'TLFS, establishing the hypercall interface (HV_X64_MSR_GUEST_OS_ID, HV_X64_MSR_HYPERCALL)',
  watches: [{ kind: 'msr', msrs: [...PAGE_MSRS.keys(), GUEST_OS_ID] }],
  needs: ['msr'],
  judge(input) {
    const pages = input.tracker(PAGES);
    /** Enabled while the identity had its reset value, of which the trace says nothing yet. */
    const doubtful = new Map<PagesOfPartition, PageWrite>();
    const findings = new OpenFindings(identityFirst.id, input);

    function found(partition: PagesOfPartition, { page, deed: { component, moment } }: PageWrite): void {
      const cause = [component];
      const known = findings.of({ cause, severity: 'error', component, culprit: moment, ...page.owner.vp });
      known.concerns(page.cell);
      if (page.on === false) partition.blame(page, known);
    }

    return {
      step({ event }) {
        if (event.kind !== 'msr' || event.dir !== 'write') return;
        const partition = pages.partitionOf(event);
        if (partition === undefined) return;
        if (event.msr === GUEST_OS_ID) {
          const write = doubtful.get(partition);
          doubtful.delete(partition);
          if (write !== undefined && partition.identity !== 0n) found(partition, write);
          return;
        }
        for (const write of pages.writes) {
          if (!write.dropped || write.byParent) continue;
          if (partition.identityIsSeen) found(partition, write);
          else doubtful.set(partition, write);
        }
      },
      end() {
        for (const finding of findings.all()) {
          const { component } = finding.root;
          const title = `${component} enables HYPERCALL while GUEST_OS_ID is 0, and the enable bit does not stay`;
          input.report(
            finding.close(title, `let ${component} write GUEST_OS_ID before it enables HYPERCALL`),
          );
        }
      },
    };
  },
};
