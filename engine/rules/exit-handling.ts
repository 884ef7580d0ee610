import { fieldOf, messageTypes, readU32, readU64, registers, sameBytes } from '../abi/index.ts';
import type { Step } from '../replay/step.ts';
import type { PageEvent } from '../trace/event.ts';
import { CaseBook } from './case-book.ts';
import type { Rule } from './rule.ts';
import { type Answered, answered, call, SUCCESS } from './track/hypercall.ts';
import { isHost } from './track/partition-tracker.ts';
import { REGISTER_PAGE_RIP, readPage } from './track/register-page.ts';
import { type Exit, RUNS, type RunVp, vpKey } from './track/runs.ts';

const GET = call('GET_VP_REGISTERS');
const SET = call('SET_VP_REGISTERS');
const PARTITION = fieldOf('hv_input_get_vp_registers', 'partition_id');
const VP = fieldOf('hv_input_get_vp_registers', 'vp_index');
const NAME = fieldOf('hv_input_get_vp_registers', 'names');
const VALUE = fieldOf('hv_output_get_vp_registers', 'values');
const SET_NAME = fieldOf('hv_input_set_vp_registers', 'elements.name');
const SET_VALUE = fieldOf('hv_input_set_vp_registers', 'elements.value');
const RIP = registers.number('HV_X64_REGISTER_RIP');
const TYPE = fieldOf('hv_message_header', 'message_type');
const PAYLOAD = 16;
const MESSAGE_RIP = fieldOf('hv_x64_intercept_message_header', 'rip');

/** The instruction does not complete by itself: run again as it is, the VP stops at it again. */
const STOPS_AT: ReadonlySet<number> = new Set(
  ['X64_IO_PORT_INTERCEPT', 'X64_MSR_INTERCEPT', 'X64_CPUID_INTERCEPT'].map((name) =>
    messageTypes.number(`HVMSG_${name}`),
  ),
);
const MAX_VPS = 4096;

/** What has been done about the last exit of a VP. */
interface Handling {
  exit: Exit | undefined;
  /** Something was done in the meantime that may count as an answer. */
  answered: boolean;
  /** RIP was set, and to what. */
  rip: bigint | undefined;
  /** RIP as it was set before the present exit, which looks like the one before it. */
  repeated: { readonly rip: bigint; readonly before: Exit } | undefined;
  /** Its VMM answers by calls that are in the trace. */
  isSeen: boolean;
}

/** R24: each exit of a VP is handled once. */
export const exitHandling: Rule = {
  id: 'R24',
  severity: 'error',
  title: 'An exit of a VP is handled twice, or not at all',
  meaning:
    'MSHV_RUN_VP comes back with the message of the intercept that has stopped the VP. Each one is handled once: the VMM ' +
    'emulates the instruction and moves RIP behind it, changes what made it stop, or ends the VP. A message that comes ' +
    'again after it was handled, while the VP is already behind the instruction, makes the VMM emulate it twice. A VP that is ' +
    'run again at a port, MSR or CPUID instruction about which nothing was done stops at it again, for ever.',
  silent: [
    'A loop of the guest that does the same again: the VP is at that instruction.',
    'A REP instruction: RIP stays, what it has done shows in RCX.',
    'A memory intercept run again: the page may be there now.',
    'The intercept was removed or its result registered, or MSHV_RUN_VP was interrupted.',
    'A VMM that answers through the register page, which a trace does not show.',
  ],
  source:
    'Linux 7.2 drivers/hv/mshv_root_main.c (mshv_vp_ioctl_run_vp); OHCL-Linux-Kernel pull requests 154 and 157',
  watches: [{ kind: 'hypercall', codes: [GET, SET] }, 'ioctl', 'page', 'mark'],
  needs: ['ioctl', 'hypercall'],
  judge(input) {
    const runs = input.tracker(RUNS);
    const cases = new CaseBook(exitHandling.id, input);
    const vps = new Map<string, Handling>();
    /** Calls on a partition, which may change what its VPs stop for. */
    function touched(partition: bigint | undefined, vp: number | undefined): void {
      for (const [key, handling] of vps) {
        if (key === `${partition}.${vp}` || (vp === undefined && key.startsWith(`${partition}.`))) {
          handling.answered = true;
        }
      }
    }

    function stopped(vp: RunVp, exit: Exit): void {
      const { message } = exit;
      if (message === undefined) return;
      if (vps.size >= MAX_VPS && !vps.has(vp.key)) vps.clear();
      const known = vps.get(vp.key);
      const before = known?.exit;
      const isSame = before?.message !== undefined && sameBytes(before.message, message);
      const handling: Handling = {
        exit,
        answered: false,
        rip: undefined,
        repeated: isSame && known?.rip !== undefined ? { rip: known.rip, before } : undefined,
        isSeen: known?.isSeen === true || known?.rip !== undefined,
      };
      vps.set(vp.key, handling);
      if (isSame && known?.answered === false && known.isSeen) ignored(vp, before, exit);
    }

    function ignored(vp: RunVp, before: Exit, { message, entry, moment }: Exit): void {
      if (message === undefined || !STOPS_AT.has(readU32(message, TYPE))) return;
      const { component } = entry;
      const finding = cases.open(
        {
          cause: [component, 'not-handled'],
          severity: 'error',
          component,
          culprit: entry.moment,
          shown: moment,
          ...of(vp),
        },
        {
          title: `${component} runs a VP again without doing anything about the exit before, and it stops at the same instruction`,
          fix: `let ${component} emulate the instruction and set RIP behind it before MSHV_RUN_VP`,
        },
      );
      if (finding.concerns(`partition[${vp.partition}].vp[${vp.vp}].intercept`)) finding.prove(before.moment);
    }

    /** The VP is seen to be at `rip`. */
    function isAt(key: string, rip: bigint): void {
      const handling = vps.get(key);
      const { exit, repeated } = handling ?? {};
      if (handling === undefined || exit?.message === undefined || repeated === undefined) return;
      handling.repeated = undefined;
      if (rip !== repeated.rip || rip === ripOf(exit.message)) return;
      const vp = runs.of(...idOf(key));
      if (vp === undefined) return;
      const { before } = repeated;
      const finding = cases.open(
        {
          cause: ['mshv', 'twice'],
          severity: 'error',
          component: 'mshv',
          culprit: exit.entry.moment,
          shown: input.now(),
          ...of(vp),
        },
        {
          title:
            'an exit that was handled is reported once more, while the VP is already behind the instruction',
          fix: 'let mshv report an exit only after the VP has run since the one before',
        },
      );
      if (!finding.concerns(`partition[${vp.partition}].vp[${vp.vp}].intercept`)) return;
      for (const moment of [before.moment, exit.moment]) finding.prove(moment);
    }

    function registersOf({ control, input: given, output, reps }: Answered): void {
      const key = vpKey(readU64(given, PARTITION), readU32(given, VP));
      const handling = vps.get(key);
      if (handling === undefined) return;
      for (let i = control.repStart; i < reps; i++) {
        if (control.code === GET) {
          if (output === undefined || readU32(given, NAME, i) !== RIP) continue;
          isAt(key, readU64(output, VALUE, i));
        } else if (readU32(given, SET_NAME, i) === RIP) {
          handling.rip = readU64(given, SET_VALUE, i);
          handling.answered = true;
          handling.repeated = undefined;
        }
      }
    }

    function page({ vp, what, bytes }: PageEvent): void {
      if (vp?.partition === undefined || vp.vp === undefined) return;
      const key = vpKey(vp.partition, vp.vp);
      const handling = vps.get(key);
      if (handling === undefined) return;
      const rip = readPage(bytes, REGISTER_PAGE_RIP);
      if (what === 'write') {
        handling.answered = true;
        if (rip === undefined) return;
        handling.rip = rip;
        handling.repeated = undefined;
      } else if (what === 'snapshot' && rip !== undefined) isAt(key, rip);
    }

    return {
      step(step: Step) {
        const { event, returned } = step;
        switch (event.kind) {
          case 'ioctl': {
            const { left, entered } = runs;
            if (left !== undefined) stopped(left.vp, left.exit);
            else if (entered === undefined && !returned && vps.size > 0) {
              const { handle } = event;
              if (handle.kind === 'vp') touched(handle.partition, handle.vp);
              else if (handle.kind === 'partition') touched(handle.partition, undefined);
            }
            return;
          }
          case 'hypercall': {
            const hypercall = vps.size > 0 && isHost(step) ? answered(step) : undefined;
            if (hypercall?.status === SUCCESS) registersOf(hypercall);
            return;
          }
          case 'page':
            if (event.page === 'register') page(event);
            return;
          case 'mark':
            if (event.what === 'gap') vps.clear();
            return;
        }
      },
      end: () => cases.report(),
    };
  },
};

function of({ partition, vp }: RunVp): { partition: bigint; vp: number } {
  return { partition, vp };
}

function idOf(key: string): [bigint, number] {
  const [partition = '0', vp = '0'] = key.split('.');
  return [BigInt(partition), Number(vp)];
}

function ripOf(message: Uint8Array): bigint {
  return readU64(message.subarray(PAYLOAD), MESSAGE_RIP);
}
