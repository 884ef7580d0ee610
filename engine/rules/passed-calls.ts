import {
  type ErrnoMapping,
  errnoOfStatus,
  fieldOf,
  hypercalls,
  lowHalf,
  readU32,
  readU64,
  statuses,
} from '../abi/index.ts';
import type { HypercallEvent, IoctlEvent } from '../trace/event.ts';
import { CaseBook } from './case-book.ts';
import type { Moment } from './open-finding.ts';
import type { Rule } from './rule.ts';
import { CALLERS } from './track/callers.ts';
import { SELF, status } from './track/hypercall.ts';
import { requests } from './track/requests.ts';

const ROOT_HVCALL = new Set(requests('MSHV_ROOT_HVCALL'));
const CODE = fieldOf('mshv_root_hvcall', 'code');
const STATUS = fieldOf('mshv_root_hvcall', 'status');
const CALL_PENDING = status('CALL_PENDING');
const ID_BYTES = 8;
const WHOLE_ID = fieldOf('hv_input_get_partition_property', 'partition_id');
/** Calls that are open at once. */
const MAX_OPEN = 4096;

/** The hypercall below a MSHV_ROOT_HVCALL, as far as it is answered. */
interface Passed {
  readonly component: string;
  readonly name: string;
  status: number;
  moment: Moment;
  /** The hypervisor finished it by a message, which says how it ended. */
  late: boolean;
}

/** R38: mshv passes a program's hypercall on for the program's own partition, if it may, and tells what it came to. */
export const passedCalls: Rule = {
  id: 'R38',
  severity: 'error',
  title: 'A hypercall that is passed through is not the one that was asked for',
  meaning:
    'MSHV_ROOT_HVCALL makes a hypercall for a program. The kernel puts the id of the partition behind the descriptor into the first 8 bytes of the input, whatever the program ' +
    'wrote there, so that no program reaches the partition of another; it lets a short list of calls through, on the device two of them alone; and it writes back the status ' +
    'that the hypervisor gave, and the errno that stands for it. A kernel that does otherwise opens other partitions to a program, or tells it of another failure than it had.',
  silent: [
    'The program wrote another partition id: the kernel replaces it.',
    'Deposits that are made in between are the kernel’s own calls.',
    'A call that ends early for a reason of the kernel’s: no memory, a signal, a bad address, EAGAIN of Linux 6.16.',
    'A call that the hypervisor finishes later: its status comes with a message.',
  ],
  source:
    'Linux 7.2 drivers/hv/mshv_root_main.c (mshv_ioctl_passthru_hvcall, mshv_passthru_hvcalls), hv_common.c (hv_result_to_errno)',
  watches: ['hypercall', { kind: 'ioctl', ops: [...ROOT_HVCALL] }],
  needs: ['ioctl'],
  judge(input) {
    const callers = input.tracker(CALLERS);
    const cases = new CaseBook(passedCalls.id, input);
    const open = new Map<number, Passed>();
    const { kernel } = input.profile;
    const mapping: ErrnoMapping | undefined =
      kernel === 'upstream-7.2' || kernel === 'upstream-7.0' ? 'linux' : undefined;

    function passed(event: HypercallEvent, call: IoctlEvent, code: number): void {
      const name = hypercalls.name(code);
      const component = event.component ?? 'mshv';
      const moment = input.now();
      const root = { severity: 'error', component, culprit: moment } as const;
      const onDevice = call.handle.kind === 'device';
      const allowed = hypercalls.find(code)?.passthrough ?? 'no';
      if (allowed === 'no' || (onDevice && allowed !== 'device')) {
        const fix = `let ${component} refuse ${name} on a ${call.handle.kind} with EINVAL`;
        const title = `${component} passes ${name} through on a ${call.handle.kind}, where it is not allowed`;
        cases.open({ ...root, cause: [component, 'not-allowed', name] }, { title, fix });
      }
      const own = partitionOf(call);
      if (own !== undefined && event.input !== undefined && event.input.length >= ID_BYTES) {
        if (readU64(event.input, WHOLE_ID) !== own) {
          const title = `${component} passes ${name} through for another partition than that of the descriptor`;
          const fix = `let ${component} overwrite the first 8 bytes of the input with the id of the descriptor’s partition`;
          cases.open({ ...root, cause: [component, 'other-partition', name] }, { title, fix });
        }
      }
      if (event.result === undefined) return;
      const late = event.result.status === CALL_PENDING || open.get(call.seq)?.late === true;
      if (open.size === MAX_OPEN) open.clear();
      open.set(call.seq, { component, name, status: event.result.status, moment, late });
    }

    function returned(
      { ret, out }: IoctlEvent,
      { component, name, status: answer, moment, late }: Passed,
    ): void {
      if (late) return;
      const root = { severity: 'error', component, culprit: moment, shown: input.now() } as const;
      const told = out?.arg === undefined ? undefined : readU32(out.arg, STATUS);
      if (told !== undefined && told !== answer) {
        const [is, was] = [statuses.name(told), statuses.name(answer)];
        const title = `${component} tells the program ${is} of ${name}, which was answered ${was}`;
        const words = { title, fix: `let ${component} write back the status that the hypervisor gave` };
        cases.open({ ...root, cause: [component, 'status', name] }, words);
      }
      if (
        mapping === undefined ||
        typeof ret !== 'number' ||
        ret >= 0 ||
        answer === 0 ||
        OWN_REASONS.has(ret)
      )
        return;
      const errno = errnoOfStatus(answer, mapping);
      if (ret === -errno) return;
      const title = `${component} returns errno ${-ret} for ${name}, whose status ${statuses.name(answer)} is errno ${errno}`;
      const words = { title, fix: `let ${component} return what hv_result_to_errno makes of the status` };
      cases.open({ ...root, severity: 'warning', cause: [component, 'errno', name] }, words);
    }

    return {
      step(step) {
        const { event } = step;
        if (event.kind === 'ioctl') {
          const call = step.returned ? open.get(event.seq) : undefined;
          open.delete(event.seq);
          if (call !== undefined) returned(event, call);
          return;
        }
        const caller = event.kind === 'hypercall' ? callers.callerOf(step)?.event : undefined;
        if (event.kind !== 'hypercall' || caller?.arg === undefined || !ROOT_HVCALL.has(caller.op)) return;
        const code = lowHalf(event.control) & 0xffff;
        if (code === readU32(caller.arg, CODE)) passed(event, caller, code);
      },
      end: () => cases.report(),
    };
  },
};

/** EINTR, EAGAIN, ENOMEM, EFAULT: the kernel ended the call itself. */
const OWN_REASONS: ReadonlySet<number> = new Set([-4, -11, -12, -14]);

function partitionOf({ handle }: IoctlEvent): bigint | undefined {
  if (handle.kind === 'device') return SELF;
  return handle.kind === 'partition' || handle.kind === 'vp' ? handle.partition : undefined;
}
