import { judgeRegisterBatches } from './register-batch.ts';
import { judgeAnswerAbove } from './rep-above.ts';
import { judgeChains } from './rep-chain.ts';
import { judgeUndo } from './rep-undo.ts';
import type { Rule } from './rule.ts';
import { CHAIN_CODES } from './track/rep-call.ts';
import { requests } from './track/requests.ts';

/** R07: a rep call may do less than it was asked for, and whoever goes on does so where it ended. */
export const repProgress: Rule = {
  id: 'R07',
  severity: 'error',
  title: 'What a rep call completed is not what its caller takes for done',
  meaning:
    'A rep call may end before its last element: its result says how many it completed, those before the rep start ' +
    'included. Whoever goes on does so at the first element that is not done: by the rep start, by a base that moved as ' +
    'far, or by a list without those that are done. Going on by the count that was asked for leaves pages out; starting ' +
    'again does elements twice. What has to be undone after a failure is what was completed, no more and no less. A ' +
    'layer that passes a call on answers with the count that it got. Elements behind one that was refused were never ' +
    'looked at.',
  silent: [
    'A retry at the completed element, or a shorter list that is submitted from 0 on.',
    'The next call is about another range.',
    'A failure other than a pool that is short, and the whole call again: what was refused may be mended.',
    'A layer that undoes what was completed and answers that nothing was.',
    'One register a call, to find out which there are; the rest of a batch asked for without the refused one.',
  ],
  source:
    'TLFS, hypercall continuation and result; Linux 7.2 drivers/hv/mshv_common.c (hv_do_rep_hypercall), ' +
    'mshv_root_hv_call.c; Linux commit 4cc1aa469cd6 “mshv: Fix deposit memory in MSHV_ROOT_HVCALL”',
  watches: [
    { kind: 'hypercall', codes: CHAIN_CODES },
    {
      kind: 'ioctl',
      ops: ['MSHV_ROOT_HVCALL', 'MSHV_SET_GUEST_MEMORY', 'MSHV_MAP_GUEST_MEMORY'].flatMap(requests),
    },
  ],
  needs: ['hypercall'],
  judge(input) {
    const parts = [judgeChains, judgeUndo, judgeAnswerAbove, judgeRegisterBatches].map((judge) =>
      judge(repProgress.id, input),
    );
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
