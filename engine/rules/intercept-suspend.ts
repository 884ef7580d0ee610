import { constantNumber, fieldOf, readU32, readU64, registers } from '../abi/index.ts';
import { CaseBook } from './case-book.ts';
import type { Moment } from './open-finding.ts';
import type { Rule } from './rule.ts';
import { type Answered, answered, call, SUCCESS } from './track/hypercall.ts';
import { isHost } from './track/partition-tracker.ts';
import { vpKey } from './track/runs.ts';

const DISPATCH = call('DISPATCH_VP');
const SET = call('SET_VP_REGISTERS');
const PARTITION = fieldOf('hv_input_dispatch_vp', 'partition_id');
const VP = fieldOf('hv_input_dispatch_vp', 'vp_index');
const FLAGS = fieldOf('hv_input_dispatch_vp', 'flags');
const EVENT = fieldOf('hv_output_dispatch_vp', 'dispatch_event');
const INTERCEPT = constantNumber('HV_VP_DISPATCH_EVENT_INTERCEPT');
const CLEAR = constantNumber('HV_DISPATCH_VP_FLAG_CLEAR_INTERCEPT_SUSPEND');
const SET_PARTITION = fieldOf('hv_input_set_vp_registers', 'partition_id');
const SET_VP = fieldOf('hv_input_set_vp_registers', 'vp_index');
const NAME = fieldOf('hv_input_set_vp_registers', 'elements.name');
const INTERCEPT_SUSPEND = registers.number('HV_REGISTER_INTERCEPT_SUSPEND');
const MAX_VPS = 4096;

/** R48: after an intercept a VP is let go before it is dispatched again. */
export const interceptSuspend: Rule = {
  id: 'R48',
  severity: 'error',
  title: 'A VP is dispatched again after an intercept without being let go',
  meaning:
    'An intercept suspends the VP (INTERCEPT_SUSPEND) until its parent lets it go on. Under the root scheduler the first ' +
    'HVCALL_DISPATCH_VP after an intercept has the flag CLEAR_INTERCEPT_SUSPEND, or the register is cleared before. ' +
    'Without either the VP stays where it is, however often it is dispatched.',
  silent: [
    'The flag is set, or INTERCEPT_SUSPEND was written before the dispatch.',
    'A dispatch after one that ended for another reason than an intercept.',
    'The first dispatch of a VP, or the first after a gap.',
  ],
  source:
    'Linux 7.2 drivers/hv/mshv_root_main.c (mshv_run_vp_with_root_scheduler); TLFS 2013, intercept suspend register',
  watches: [{ kind: 'hypercall', codes: [DISPATCH, SET] }, 'mark'],
  needs: ['hypercall'],
  judge(input) {
    const cases = new CaseBook(interceptSuspend.id, input);
    /** VPs that an intercept holds, and since when. */
    const held = new Map<string, Moment>();

    function dispatched({ input: given, output, component, status }: Answered): void {
      const [partition, vp] = [readU64(given, PARTITION), readU32(given, VP)];
      const key = vpKey(partition, vp);
      const since = held.get(key);
      const now = input.now();
      if (since !== undefined && (readU32(given, FLAGS) & CLEAR) === 0 && component !== undefined) {
        const finding = cases.open(
          { cause: [component], severity: 'error', component, culprit: now, partition, vp },
          {
            title: `${component} dispatches a VP that an intercept holds, and does not let it go`,
            fix: `let ${component} set CLEAR_INTERCEPT_SUSPEND in the first dispatch after an intercept`,
          },
        );
        if (finding.concerns(`partition[${partition}].vp[${vp}].suspend.intercept`)) finding.prove(since);
      }
      held.delete(key);
      const isIntercept = status === SUCCESS && output !== undefined && readU32(output, EVENT) === INTERCEPT;
      if (isIntercept && held.size < MAX_VPS) held.set(key, now);
    }

    function written({ input: given, reps, control }: Answered): void {
      for (let i = control.repStart; i < reps; i++) {
        if (readU32(given, NAME, i) !== INTERCEPT_SUSPEND) continue;
        held.delete(vpKey(readU64(given, SET_PARTITION), readU32(given, SET_VP)));
      }
    }

    return {
      step(step) {
        const { event } = step;
        if (event.kind === 'mark' && event.what === 'gap') held.clear();
        if (event.kind !== 'hypercall' || (held.size === 0 && Number(event.control & 0xffffn) === SET))
          return;
        const hypercall = isHost(step) ? answered(step) : undefined;
        if (hypercall === undefined) return;
        if (hypercall.control.code === DISPATCH) dispatched(hypercall);
        else written(hypercall);
      },
      end: () => cases.report(),
    };
  },
};
