import { OpenFindings } from './open-findings.ts';
import type { Rule } from './rule.ts';
import { PAGE_MSRS } from './track/page-registers.ts';
import { PAGES, SET_VP_REGISTERS } from './track/page-tracker.ts';

/** No processor has longer physical addresses (Intel SDM 3, 4.1.4; AMD APM 2, 5.1). */
const MAX_ADDRESS_BITS = 52;
const PAGE_BITS = 12;

/** R35: a page lies where memory can be. */
export const pageBeyondMemory: Rule = {
  id: 'R35',
  severity: 'error',
  title: 'A page is enabled at an address that no memory has',
  meaning:
    'HYPERCALL, REFERENCE_TSC, VP_ASSIST_PAGE, SIMP, SIEFP and SIRBP take the frame of a guest physical address. One outside the ' +
    'address space of the guest raises no fault: the page is just nowhere, and what the hypervisor reports through it is lost. Addresses ' +
    'end at 52 bits; a frame beyond is mostly part of a virtual address.',
  silent: [
    'Any frame below 2^40, also one above the memory that a guest has: there may be a boundary of shared memory.',
    'The register is written without its enable bit.',
    'The write was answered with #GP.',
  ],
  source: 'TLFS, overlay pages; Linux 7.2 drivers/hv/hv.c (hv_synic_enable_regs: virt_to_phys)',
  watches: [
    { kind: 'msr', msrs: [...PAGE_MSRS.keys()] },
    { kind: 'hypercall', codes: [SET_VP_REGISTERS] },
  ],
  needs: [],
  judge(input) {
    const pages = input.tracker(PAGES);
    const findings = new OpenFindings(pageBeyondMemory.id, input);
    const end = 1n << BigInt(Math.max(MAX_ADDRESS_BITS, input.profile.gpaBits) - PAGE_BITS);
    return {
      step() {
        for (const { page, deed } of pages.writes) {
          if (page.on !== true || page.frame === undefined || page.frame < end) continue;
          const { component, moment: culprit } = deed;
          const { vp, cpu } = page.owner;
          const cause = [component, page.register.name];
          const finding = findings.of({ cause, severity: 'error', component, culprit, ...vp });
          finding.concerns(page.cell, vp === undefined ? cpu : undefined);
        }
      },
      end() {
        for (const finding of findings.all()) {
          const [who, register] = finding.root.cause;
          const title = `${who} enables ${register} at an address beyond 52 bits`;
          input.report(
            finding.close(title, `let ${who} write the physical address of the page to ${register}`),
          );
        }
      },
    };
  },
};
