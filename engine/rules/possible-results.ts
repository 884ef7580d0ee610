import { decodeControl, hypercalls, lowHalf } from '../abi/index.ts';
import type { HypercallEvent } from '../trace/event.ts';
import { CaseBook } from './case-book.ts';
import type { Rule } from './rule.ts';
import { SUCCESS } from './track/hypercall.ts';

/** A result of all ones is the caller's own: there was no hypercall page to call (Linux returns it as EOPNOTSUPP). */
const NO_PAGE = 0xffff;

/** R37: what the hypervisor answers is an answer that the call can have. */
export const possibleResults: Rule = {
  id: 'R37',
  severity: 'error',
  title: 'The result of a hypercall is one that the call cannot have',
  meaning:
    'A simple call completes no elements. A rep call completes at most as many as it was asked for, and counts those before its rep start as completed: a success with fewer ' +
    'completed than the call began with takes something back. Whoever goes on by such a count does elements twice, leaves some out, or runs beyond the end of the list.',
  silent: [
    'A rep call that is cut short: success with fewer elements than were asked for.',
    'A rep call that fails before it has looked at its elements and counts none.',
    'A call whose shape no public source has.',
    'All ones: the caller had no hypercall page, and the hypervisor answered nothing.',
  ],
  source:
    'TLFS, Hypercall Outputs (elements completed) and Rep Hypercalls; Linux 7.2 include/asm-generic/mshyperv.h (hv_do_rep_hypercall)',
  watches: ['hypercall'],
  needs: ['hypercall'],
  judge(input) {
    const cases = new CaseBook(possibleResults.id, input);
    return {
      step({ event }) {
        if (event.kind !== 'hypercall' || event.result === undefined) return;
        const { status, reps } = event.result;
        if ((reps === 0 && highIsZero(event)) || status === NO_PAGE) return;
        const wrong = impossible(event, status, reps);
        if (wrong === undefined) return;
        const name = hypercalls.name(lowHalf(event.control) & 0xffff);
        const words = {
          title: `the hypervisor answers ${name} with ${wrong}`,
          fix: 'count in the result what was completed from element 0 on, at most what was asked for, and nothing for a simple call',
        };
        const root = { severity: 'error', component: 'hypervisor', culprit: input.now() } as const;
        cases.open({ ...root, cause: ['hypervisor', name] }, words);
      },
      end: () => cases.report(),
    };
  },
};

/** Neither a rep count nor a rep start: with no element completed there is nothing to compare. */
function highIsZero({ control }: HypercallEvent): boolean {
  return control <= 0xffff_ffffn;
}

function impossible({ control }: HypercallEvent, status: number, reps: number): string | undefined {
  const { code, repCount, repStart } = decodeControl(control);
  const shape = hypercalls.find(code)?.shape;
  if (shape === 'simple')
    return reps === 0 ? undefined : `${reps} elements completed, of a call that has none`;
  if (shape !== 'rep') return undefined;
  if (reps > repCount) return `${reps} elements completed of ${repCount}`;
  const takesBack = status === SUCCESS && reps < repStart;
  return takesBack ? `${reps} elements completed, of a call that began at ${repStart}` : undefined;
}
