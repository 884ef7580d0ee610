import {
  fieldOf,
  hypercalls,
  lowHalf,
  MESSAGE_HEADER_BYTES,
  messageTypes,
  readU32,
  readU64,
} from '../abi/index.ts';
import type { HypercallEvent, MessageEvent } from '../trace/event.ts';
import { CaseBook } from './case-book.ts';
import type { Moment } from './open-finding.ts';
import type { Rule } from './rule.ts';
import { CALLERS } from './track/callers.ts';
import { call, partitionField, status } from './track/hypercall.ts';
import { makerOf } from './track/maker.ts';

const ASYNC = call('SET_PARTITION_PROPERTY');
const PARTITION = partitionField(ASYNC);
const CALL_PENDING = status('CALL_PENDING');
const COMPLETION = messageTypes.number('ASYNC_CALL_COMPLETION');
const TYPE = fieldOf('hv_message', 'header.message_type');
const OF_PARTITION = fieldOf('hv_async_completion_message_payload', 'partition_id');
/** Partitions that are followed at once. */
const MAX_PARTITIONS = 4096;

/** A call that the hypervisor finishes later. */
interface Pending {
  readonly moment: Moment;
  /** The ioctl that waits for it. */
  readonly caller: number | undefined;
}

/** R36: one asynchronous call at a time for a partition, and its completion is waited for. */
export const asyncCalls: Rule = {
  id: 'R36',
  severity: 'error',
  title: 'A call that the hypervisor finishes later is not waited for',
  meaning:
    'HVCALL_SET_PARTITION_PROPERTY may be answered CALL_PENDING: the hypervisor goes on with it and tells its end by a message (ASYNC_CALL_COMPLETION) that names the partition, ' +
    'not the call. Until then no second one may be under way for that partition: nobody could tell whose completion the message is. Any other call is finished when it is answered; ' +
    'CALL_PENDING is no answer to it.',
  silent: [
    'A second call after the completion of the first, or after the ioctl of the first has returned.',
    'Calls for several partitions at once.',
    'A trace without messages, where nobody sees a completion.',
  ],
  source:
    'Linux 7.2 drivers/hv/mshv_root_main.c (mshv_async_hvcall_handler, mshv_ioctl_passthru_hvcall) and mshv_synic.c',
  watches: ['hypercall', 'message', 'ioctl', 'mark'],
  needs: ['hypercall'],
  judge(input) {
    const callers = input.tracker(CALLERS);
    const cases = new CaseBook(asyncCalls.id, input);
    const pending = new Map<bigint, Pending>();
    let sawMessages = false;

    function unexpected(event: HypercallEvent): void {
      const name = hypercalls.name(lowHalf(event.control) & 0xffff);
      const words = {
        title: `the hypervisor answers ${name} with CALL_PENDING, and nobody will hear of its end`,
        fix: `let the hypervisor finish ${name} before it answers: only HVCALL_SET_PARTITION_PROPERTY may be finished later`,
      };
      const root = { severity: 'error', component: 'hypervisor', culprit: input.now() } as const;
      cases.open({ ...root, cause: ['hypervisor', name] }, words);
    }

    function completed({ what, slot }: MessageEvent): void {
      sawMessages = true;
      if (what !== 'deliver' || slot === undefined || readU32(slot, TYPE) !== COMPLETION) return;
      pending.delete(readU64(slot.subarray(MESSAGE_HEADER_BYTES), OF_PARTITION));
    }

    return {
      step(step) {
        const { event } = step;
        if (event.kind === 'message') completed(event);
        else if (event.kind === 'mark' && event.what === 'gap') pending.clear();
        else if (event.kind === 'ioctl' && step.returned && pending.size > 0) {
          for (const [id, { caller }] of pending) if (caller === event.seq) pending.delete(id);
        }
        if (event.kind !== 'hypercall' || event.input === undefined) return;
        const isPending = event.result?.status === CALL_PENDING;
        if ((lowHalf(event.control) & 0xffff) !== ASYNC) {
          if (isPending) unexpected(event);
          return;
        }
        const id = readU64(event.input, PARTITION);
        const before = pending.get(id);
        if (before !== undefined && (sawMessages || before.caller !== undefined)) {
          const maker = makerOf(callers, step, event, input.now);
          // A program may ask at any time: it is the driver that lets it wait.
          const component = event.component ?? maker?.component;
          if (component !== undefined && component !== 'unknown') {
            const words = {
              title: `${component} makes a second HVCALL_SET_PARTITION_PROPERTY for a partition while the first is under way`,
              fix: `let ${component} wait for the completion of the first call before it makes the next for the same partition`,
            };
            const root = { severity: 'error', component, culprit: input.now(), partition: id } as const;
            cases.open({ ...root, cause: [component, 'second'] }, words).prove(before.moment);
          }
        }
        if (isPending && pending.size < MAX_PARTITIONS) {
          pending.set(id, { moment: input.now(), caller: callers.callerOf(step)?.event.seq });
        } else {
          pending.delete(id);
        }
      },
      end: () => cases.report(),
    };
  },
};
