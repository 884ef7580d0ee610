import { fieldOf, readU32 } from '../abi/index.ts';
import type { IoctlEvent } from '../trace/event.ts';
import { CaseBook } from './case-book.ts';
import type { Moment } from './open-finding.ts';
import type { Rule } from './rule.ts';
import { call } from './track/hypercall.ts';
import { EINTR, RUN_VP, requests } from './track/requests.ts';
import { type Entry, RUNS, vpKey } from './track/runs.ts';

const ROOT_HVCALL = requests('MSHV_ROOT_HVCALL');
/** Ioctls that read or write the state of the VP. */
const STATE = [
  'MSHV_GET_VP_REGISTERS',
  'MSHV_SET_VP_REGISTERS',
  'MSHV_GET_VP_STATE',
  'MSHV_SET_VP_STATE',
].flatMap(requests);
const CODE = fieldOf('mshv_root_hvcall', 'code');
const REGISTER_CALLS = [call('GET_VP_REGISTERS'), call('SET_VP_REGISTERS')];

/** Who waits shorter may well have made the VP stop: a signal takes its time. */
const PATIENCE_NS = 10_000_000;
const MAX_WAITING = 1024;

/** A call that waits for a VP to come back. */
interface Waiting {
  readonly vp: string;
  readonly component: string;
  readonly moment: Moment;
  readonly run: Entry;
  readonly partition: bigint;
  readonly index: number;
}

/** R27: the state of a VP is read and written while no thread runs it. */
export const busyVp: Rule = {
  id: 'R27',
  severity: 'error',
  title: 'The state of a VP is accessed while another thread runs it',
  meaning:
    'A VP has one lock: a call that reads or writes its registers or its state waits until MSHV_RUN_VP returns. A VP that ' +
    'has nothing to exit for may run for ever, and the caller hangs with it. Whoever needs the state of a VP makes it stop ' +
    'first (a signal to its thread), or asks the partition where that knows the answer, as of the reference time.',
  silent: [
    'MSHV_RUN_VP was interrupted (EINTR), or came back within 10 ms: somebody has made the VP stop.',
    'A call that does not need the VP: a property of the partition, an interrupt asserted through the partition.',
    'The same thread, between two runs.',
  ],
  source:
    'Linux 7.2 drivers/hv/mshv_root_main.c (mshv_vp_ioctl takes the mutex of the VP); OpenVMM pull request 3277',
  watches: [{ kind: 'ioctl', ops: [...RUN_VP, ...ROOT_HVCALL, ...STATE] }],
  needs: ['ioctl'],
  judge(input) {
    const runs = input.tracker(RUNS);
    const cases = new CaseBook(busyVp.id, input);
    const waiting = new Map<number, Waiting>();

    function found({ component, moment, run, partition, index }: Waiting, forEver: boolean): void {
      const finding = cases.open(
        {
          cause: [component],
          severity: forEver ? 'error' : 'warning',
          component,
          culprit: moment,
          shown: input.now(),
          partition,
          vp: index,
        },
        {
          title: `${component} asks for the state of a VP that another thread runs, and waits until it exits`,
          fix: `let ${component} make the VP stop first, or ask the partition instead of the VP`,
        },
      );
      if (forEver) finding.escalate('error');
      if (!finding.concerns(`partition[${partition}].vp[${index}]`)) return;
      finding.prove(run.moment);
      finding.prove(moment);
    }

    function left(vp: string, ret: number | undefined): void {
      for (const [seq, wait] of waiting) {
        if (wait.vp !== vp) continue;
        waiting.delete(seq);
        if (ret !== EINTR && input.now().t - wait.moment.t >= PATIENCE_NS) found(wait, false);
      }
    }

    function begun(event: IoctlEvent): void {
      if (event.handle.kind !== 'vp' || !needsVp(event) || waiting.size >= MAX_WAITING) return;
      const { partition, vp: index } = event.handle;
      if (partition === undefined || index === undefined) return;
      const run = runs.of(partition, index)?.inside;
      if (run === undefined || run.tid === undefined || event.tid === undefined || run.tid === event.tid)
        return;
      const { component = 'vmm' } = event;
      waiting.set(event.seq, {
        vp: vpKey(partition, index),
        component,
        moment: input.now(),
        run,
        partition,
        index,
      });
    }

    return {
      step({ event, returned }) {
        if (event.kind !== 'ioctl') return;
        if (runs.left !== undefined) {
          if (waiting.size > 0) left(runs.left.vp.key, runs.left.exit.ret);
        } else if (returned) waiting.delete(event.seq);
        else begun(event);
      },
      end() {
        for (const wait of waiting.values()) {
          const { partition, index, run } = wait;
          const still = runs.of(partition, index)?.inside?.seq === run.seq;
          if (still && input.now().t - wait.moment.t >= PATIENCE_NS) found(wait, true);
        }
        cases.report();
      },
    };
  },
};

function needsVp({ op, arg }: IoctlEvent): boolean {
  if (STATE.includes(op)) return true;
  if (!ROOT_HVCALL.includes(op) || arg === undefined) return false;
  return REGISTER_CALLS.includes(readU32(arg, CODE));
}
