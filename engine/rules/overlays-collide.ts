import { OpenFindings } from './open-findings.ts';
import type { Rule } from './rule.ts';
import { GHCB, PAGE_MSRS } from './track/page-registers.ts';
import { PAGES, SET_VP_REGISTERS } from './track/page-tracker.ts';
import type { Page } from './track/pages.ts';

/** R32: a processor sees one page at a frame. */
export const overlaysCollide: Rule = {
  id: 'R32',
  severity: 'warning',
  title: 'Two pages of one processor lie at the same frame',
  meaning:
    'Each of HYPERCALL, REFERENCE_TSC, VP_ASSIST_PAGE, SIMP, SIEFP and SIRBP lays a page over the frame that it names. Where two of one ' +
    'processor name the same frame one of them hides the other: messages are read as event flags, or code is called that is a list ' +
    'of interrupts. Which is seen the specification does not say.',
  silent: [
    'Two processors have a page at one frame: each sees its own.',
    'The other register was disabled or moved before.',
    'Frame 0, which is a page that nobody allocated (R22).',
    'The page of a SynIC of one hypervisor, and that of a nested one.',
  ],
  source: 'TLFS, overlay pages; Linux 7.2 drivers/hv/hv.c (hv_synic_enable_regs: a page for each register)',
  watches: [
    { kind: 'msr', msrs: [...PAGE_MSRS.keys()] },
    { kind: 'hypercall', codes: [SET_VP_REGISTERS] },
  ],
  needs: ['msr'],
  judge(input) {
    const pages = input.tracker(PAGES);
    const findings = new OpenFindings(overlaysCollide.id, input);
    return {
      step() {
        for (const { page, before, deed } of pages.writes) {
          if (page.on !== true || page.frame === 0n) continue;
          if (before.on === true && before.frame === page.frame) continue;
          const other = [...pages.sameAs(page.owner)].find((candidate) => collide(page, candidate));
          if (other === undefined) continue;
          const { component, moment: culprit } = deed;
          const cause = [component, page.register.name, other.register.name];
          const finding = findings.of({ cause, severity: 'warning', component, culprit, ...page.owner.vp });
          const cpu = page.owner.vp === undefined ? page.owner.cpu : undefined;
          if (!finding.concerns(page.cell, cpu)) continue;
          finding.concerns(other.cell, cpu);
          finding.prove(culprit);
          if (other.by !== undefined) finding.prove(other.by.moment);
        }
      },
      end() {
        for (const finding of findings.all()) {
          const [who, page, other] = finding.root.cause;
          const title = `${who} enables ${page} at the frame where ${other} lies`;
          input.report(finding.close(title, `let ${who} give ${page} a frame of its own`));
        }
      },
    };
  },
};

function collide(page: Page, other: Page): boolean {
  if (other === page || other.on !== true || other.frame !== page.frame) return false;
  if (page.register === GHCB || other.register === GHCB || isNested(page) !== isNested(other)) return false;
  const isShared = page.register.scope === 'partition' || other.register.scope === 'partition';
  return isShared || page.owner.cpu === other.owner.cpu;
}

function isNested({ register }: Page): boolean {
  return register.name.startsWith('NESTED_');
}
