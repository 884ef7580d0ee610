import { judgeAcceptance } from './page-acceptance.ts';
import { judgeClosedPages } from './page-closed.ts';
import type { Rule } from './rule.ts';
import { ACCEPT, ACQUIRE, DEPOSIT, PROTECT, RELEASE, VISIBILITY } from './track/page-calls.ts';

/** R28: a page of an isolated partition is accepted, then shared; what was closed is opened before it is used anew. */
export const isolatedPages: Rule = {
  id: 'R28',
  severity: 'error',
  title: 'A page is shared before it was accepted, or used again while its protection still stands',
  meaning:
    'In an isolated partition a page belongs to the guest once the guest has accepted it, and only then can its host ' +
    'visibility be changed: before, the call fails. A page that was closed, to a lower VTL by its protection mask or to ' +
    'the host by giving up access, stays closed until that is taken back. Whoever frees it, gives it to a pool or ' +
    'shares it before hands the next user a page that faults, or one that is open where it should not be.',
  silent: [
    'A page that stays closed for good.',
    'Acceptance that is not in the trace: no page was accepted in it, or the recording began mid-life.',
    'A call that changed less than it was asked for: only what it completed is closed.',
    'A page that was opened again, and then freed.',
  ],
  source:
    'TLFS, HvCallModifyVtlProtectionMask, HvCallModifySparseGpaPageHostVisibility; OpenVMM vm/hv1/hvdef (AcceptGpaPages); ' +
    'Linux 7.2 drivers/hv/mshv_regions.c (pages are shared again before they are unmapped)',
  watches: [
    { kind: 'hypercall', codes: [ACCEPT, ACQUIRE, DEPOSIT, PROTECT, RELEASE, VISIBILITY] },
    'page',
    'lifecycle',
    'mark',
  ],
  needs: ['hypercall'],
  judge(input) {
    const parts = [judgeAcceptance(isolatedPages.id, input), judgeClosedPages(isolatedPages.id, input)];
    return {
      step(step, store) {
        for (const part of parts) part.step(step, store);
      },
      end() {
        for (const part of parts) part.end();
      },
    };
  },
};
