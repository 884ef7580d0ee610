import { fieldOf, readU32, readU64, registers } from '../abi/index.ts';
import { codeOf } from '../replay/describe.ts';
import { CaseBook } from './case-book.ts';
import type { Moment } from './open-finding.ts';
import type { Rule } from './rule.ts';
import { answered, call, partitionField, SUCCESS } from './track/hypercall.ts';
import { isHost } from './track/partition-tracker.ts';

const DISPATCH = call('DISPATCH_VP');
const SET_REGISTERS = call('SET_VP_REGISTERS');
const FINALIZE = call('FINALIZE_PARTITION');
const DISPATCHED = { partition: partitionField(DISPATCH), vp: fieldOf('hv_input_dispatch_vp', 'vp_index') };
const SET = {
  partition: partitionField(SET_REGISTERS),
  vp: fieldOf('hv_input_set_vp_registers', 'vp_index'),
  name: fieldOf('hv_input_set_vp_registers', 'elements.name'),
  value: fieldOf('hv_input_set_vp_registers', 'elements.value'),
};
const FINALIZED = partitionField(FINALIZE);
const DISPATCH_SUSPEND = registers.number('HV_REGISTER_DISPATCH_SUSPEND');
/** VPs that are followed at once. */
const MAX_VPS = 65_536;

interface Dispatched {
  readonly partition: bigint;
  readonly vp: number;
  readonly moment: Moment;
}

/** R45: a VP that the root schedules is stopped before its partition is finalized. */
export const vpStopped: Rule = {
  id: 'R45',
  severity: 'error',
  title: 'A partition is finalized while a VP of it may still be signalled',
  meaning:
    'Where the root partition schedules, the hypervisor tells it by message that a VP which was blocked can run. Before ' +
    'the partition goes, each VP that was dispatched is suspended (register DISPATCH_SUSPEND) and the signals that are on ' +
    'their way are waited for (register VP_ROOT_SIGNAL_COUNT); else one arrives for a VP that is no more, and wakes ' +
    'memory that was freed.',
  silent: [
    'A VP that was never dispatched.',
    'A partition whose VPs the hypervisor schedules.',
    'A VP that was dispatched before the recording began, or in a gap of it.',
  ],
  source: 'Linux 7.2 drivers/hv/mshv_root_main.c (destroy_partition, drain_all_vps)',
  watches: [{ kind: 'hypercall', codes: [DISPATCH, SET_REGISTERS, FINALIZE] }, 'mark', 'lifecycle'],
  needs: ['hypercall'],
  judge(input) {
    const cases = new CaseBook(vpStopped.id, input);
    const running = new Map<string, Dispatched>();

    function finalized(partition: bigint, component: string): void {
      for (const [key, dispatched] of running) {
        if (dispatched.partition !== partition) continue;
        running.delete(key);
        const culprit = input.now();
        const finding = cases.open(
          { cause: [component], severity: 'error', component, culprit, partition, vp: dispatched.vp },
          {
            title: `${component} finalizes a partition of which VP ${dispatched.vp} was dispatched and not suspended`,
            fix: `let ${component} set DISPATCH_SUSPEND of each VP and wait for its signals before HVCALL_FINALIZE_PARTITION`,
          },
        );
        if (!finding.concerns(`partition[${partition}]`)) continue;
        finding.prove(dispatched.moment);
        finding.prove(culprit);
      }
    }

    return {
      step(step) {
        const { event } = step;
        if (
          event.kind === 'mark' ? event.what === 'gap' : event.kind === 'lifecycle' && event.phase === 'end'
        ) {
          running.clear();
        }
        if (event.kind !== 'hypercall') return;
        // Registers are set all the time, and mostly where nothing was dispatched.
        const code = codeOf(event.control);
        if (code !== DISPATCH && running.size === 0) return;
        const hypercall = isHost(step) ? answered(step) : undefined;
        if (hypercall?.status !== SUCCESS) return;
        const { input: bytes, reps } = hypercall;
        if (code === FINALIZE) {
          finalized(readU64(bytes, FINALIZED), hypercall.component ?? 'unknown');
        } else if (code === DISPATCH) {
          const [partition, vp] = [readU64(bytes, DISPATCHED.partition), readU32(bytes, DISPATCHED.vp)];
          const key = `${partition}.${vp}`;
          if (!running.has(key) && running.size < MAX_VPS) {
            running.set(key, { partition, vp, moment: input.now() });
          }
        } else {
          for (let i = 0; i < reps; i++) {
            if (readU32(bytes, SET.name, i) !== DISPATCH_SUSPEND || readU32(bytes, SET.value, i) === 0)
              continue;
            running.delete(`${readU64(bytes, SET.partition)}.${readU32(bytes, SET.vp)}`);
          }
        }
      },
      end: () => cases.report(),
    };
  },
};
