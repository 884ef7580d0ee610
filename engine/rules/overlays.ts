import type { Finding } from './finding.ts';
import { EOI, judgeMissingEoi } from './missing-eoi.ts';
import type { OpenFinding } from './open-finding.ts';
import { OpenFindings } from './open-findings.ts';
import { judgeOverlayContent } from './overlay-content.ts';
import type { Rule } from './rule.ts';
import { GHCB, PAGE_MSRS } from './track/page-registers.ts';
import { PAGES, pagesAt, SET_VP_REGISTERS } from './track/page-tracker.ts';
import type { Page } from './track/pages.ts';
import type { Deed } from './track/synic.ts';

type Mistake = 'second' | 'shared';

/** R23: what an overlay page holds, how often it lies there, and when it may move. */
export const overlays: Rule = {
  id: 'R23',
  severity: 'error',
  title: 'An overlay page is treated as what it is not',
  meaning:
    'An overlay page is the hypervisor’s: it hides the memory at its frame and keeps its own content wherever it lies. So what lies ' +
    'beneath shows again when it is disabled, whatever that is: memory that still says “no EOI is needed” keeps a processor from ' +
    'ever ending its interrupts. Enabling a page does not change what is in it, but for a guest that enables it first; a host that ' +
    'restores one and finds it empty has lost messages. Two processors may have theirs at one frame, which is given up only when the ' +
    'last of them has let go. And where a page is one that its register does not relocate (GHCB), the old one is disabled first.',
  silent: [
    'SIMP, SIEFP and VP_ASSIST_PAGE are written at another frame: that relocates the page.',
    'The register of the GHCB page is written with the same frame again, or was disabled in between.',
    'Two processors have a page at one frame, and both have let go before the memory is given up.',
    'A guest’s own first enable finds an empty page; a message was taken out, or the guest ran, in between.',
    'The memory beneath an assist page is zero; or nobody has looked, and EOIs are written as before, or never were (x2APIC).',
  ],
  source:
    'TLFS, overlay pages (GPA overlay pages, VP assist page); Linux 7.2 arch/x86/hyperv/hv_init.c (hv_cpu_init: the assist page is ' +
    'zeroed), arch/x86/kvm/hyperv.c (synic_set_msr); cloud-hypervisor commit 3fe7d6d90; OpenVMM PRs 1599 and 1633',
  watches: [
    { kind: 'msr', msrs: [...PAGE_MSRS.keys(), EOI] },
    { kind: 'hypercall', codes: [SET_VP_REGISTERS] },
    'page',
    'message',
    'intercept',
    'lifecycle',
  ],
  needs: [],
  judge(input) {
    const pages = input.tracker(PAGES);
    const parts = [judgeOverlayContent(overlays.id, input), judgeMissingEoi(overlays.id, input)];
    const findings = new OpenFindings(overlays.id, input);

    function found(
      mistake: Mistake,
      { cell, owner }: Page,
      { component, moment: culprit }: Deed,
    ): OpenFinding {
      const cause = [component, mistake];
      const finding = findings.of({ cause, severity: 'error', component, culprit, ...owner.vp });
      if (finding.concerns(cell, owner.vp === undefined ? owner.cpu : undefined)) finding.prove(culprit);
      return finding;
    }

    return {
      step(step, store) {
        const { event } = step;
        for (const { page, before, deed } of pages.writes) {
          if (page.register !== GHCB || page.on !== true || before.on !== true || page.frame === before.frame)
            continue;
          const finding = found('second', page, deed);
          if (before.by !== undefined) finding.prove(before.by.moment);
        }
        if (event.kind === 'page' && event.what === 'free') {
          const { on, givenUp } = pagesAt(event, pages);
          const component = event.component ?? 'unknown';
          for (const page of givenUp.length > 0 ? on : []) {
            const finding = found('shared', page, { component, moment: input.now() });
            if (page.by !== undefined) finding.prove(page.by.moment);
            for (const { offBy } of givenUp) if (offBy !== undefined) finding.prove(offBy.moment);
          }
        }
        for (const part of parts) part.step(step, store);
      },
      end() {
        for (const finding of findings.all()) input.report(close(finding));
        for (const part of parts) part.end();
      },
    };
  },
};

function close(finding: OpenFinding): Finding {
  const { component, cause } = finding.root;
  return cause[1] === 'second'
    ? finding.close(
        `${component} enables a second GHCB page while the first is enabled`,
        `let ${component} disable and unmap the GHCB page before it enables one elsewhere`,
      )
    : finding.close(
        `${component} gives up a frame when the first of several processors lets go of it`,
        `let ${component} count the processors that have a page at a frame, and give it up with the last`,
      );
}
