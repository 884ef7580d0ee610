import { constantNumber, fieldOf, messageTypes, readU32, readU64 } from '../abi/index.ts';
import { CaseBook, type Words } from './case-book.ts';
import type { Moment } from './open-finding.ts';
import type { Rule } from './rule.ts';
import { CALLERS } from './track/callers.ts';
import { type Answered, answered, call, SUCCESS } from './track/hypercall.ts';
import { makerOf } from './track/maker.ts';
import { isHost } from './track/partition-tracker.ts';
import { RUN_VP } from './track/requests.ts';
import { type Exit, RUNS, type RunVp, vpKey } from './track/runs.ts';

const TRANSLATE = call('TRANSLATE_VIRTUAL_ADDRESS');
const READ = call('READ_GPA');
const WRITE = call('WRITE_GPA');
const PARTITION = fieldOf('hv_input_translate_virtual_address', 'partition_id');
const VP = fieldOf('hv_input_translate_virtual_address', 'vp_index');
const FLAGS = fieldOf('hv_input_translate_virtual_address', 'control_flags');
const GVA_PAGE = fieldOf('hv_input_translate_virtual_address', 'gva_page');
const GPA_PAGE = fieldOf('hv_output_translate_virtual_address', 'gpa_page');
const BASE = fieldOf('hv_input_read_gpa', 'base_gpa');
const COUNT = fieldOf('hv_input_read_gpa', 'byte_count');

const MEMORY: ReadonlySet<number> = new Set(
  ['GPA_INTERCEPT', 'UNMAPPED_GPA'].map((name) => messageTypes.number(`HVMSG_${name}`)),
);
const TYPE = fieldOf('hv_message_header', 'message_type');
const PAYLOAD = 16;
const ACCESS = fieldOf('hv_x64_memory_intercept_message', 'header.intercept_access_type');
const RIP = fieldOf('hv_x64_memory_intercept_message', 'header.rip');
const GVA = fieldOf('hv_x64_memory_intercept_message', 'guest_virtual_address');
const GPA = fieldOf('hv_x64_memory_intercept_message', 'guest_physical_address');
const GVA_VALID = fieldOf('hv_x64_memory_intercept_message', 'memory_access_info.gva_valid');
const PAIR_VALID = fieldOf('hv_x64_memory_intercept_message', 'memory_access_info.gva_gpa_valid');
const EXECUTE = constantNumber('HV_INTERCEPT_ACCESS_EXECUTE');

/** What a translation is validated for (TLFS, HvTranslateVirtualAddress). */
const VALIDATE_READ = 1;
const VALIDATE_WRITE = 2;
const VALIDATE_EXECUTE = 4;
const PAGE_BITS = 12n;
const OFFSET = 0xfffn;
const MAX_VPS = 4096;
/** Pages that one instruction touches; an emulator that translates more has other things to do. */
const MAX_PAGES = 16;

/** A memory intercept that a VMM is at work on. */
interface Fault {
  readonly vp: RunVp;
  readonly exit: Exit;
  readonly access: number;
  readonly rip: bigint;
  readonly gva: bigint | undefined;
  readonly gpa: bigint;
  readonly isPair: boolean;
  /** What has been translated since, and to what. */
  readonly translated: Map<bigint, bigint | undefined>;
}

/** R21: what a VMM does about a memory intercept agrees with what its message says. */
export const interceptMessage: Rule = {
  id: 'R21',
  severity: 'error',
  title: 'What is done about an intercept does not agree with its message',
  meaning:
    'The message of a memory intercept holds the virtual and the physical address of the access, and flags that tell ' +
    'whether the virtual one is there (gva_valid) and whether the two belong together (gva_gpa_valid). Where they do not, ' +
    'the virtual address is translated before memory is accessed for it. A translation is validated for the access that was ' +
    'intercepted: for EXECUTE where an instruction is fetched. It gives a page; the offset in it is that of the virtual address.',
  silent: [
    'Nothing is read or written in that page: an access to a device needs the physical address alone, which is always valid.',
    'The pair is marked as valid, or was translated.',
    'Further translations for the operands of the instruction.',
    'A translation that validates nothing.',
    'An access that begins at offset 0 of its page.',
  ],
  source:
    'TLFS 2013, HvTranslateVirtualAddress and memory access messages; Linux 7.2 include/hyperv/hvhdk.h (hv_x64_memory_access_info); ' +
    'Cloud Hypervisor commits 842d02fdd, 67f22b6aa, 30c0fdaff',
  watches: [{ kind: 'hypercall', codes: [TRANSLATE, READ, WRITE] }, { kind: 'ioctl', ops: RUN_VP }, 'mark'],
  needs: ['ioctl', 'hypercall'],
  judge(input) {
    const runs = input.tracker(RUNS);
    const callers = input.tracker(CALLERS);
    const cases = new CaseBook(interceptMessage.id, input);
    const faults = new Map<string, Fault>();

    function stopped(vp: RunVp, exit: Exit): void {
      const fault = faultOf(vp, exit);
      if (faults.size >= MAX_VPS) faults.clear();
      if (fault === undefined) faults.delete(vp.key);
      else faults.set(vp.key, fault);
    }

    function found(fault: Fault, by: Deed, cause: string, severity: 'error' | 'warning', words: Words): void {
      const { partition, vp } = fault.vp;
      const finding = cases.open(
        {
          cause: [by.component, cause],
          severity,
          component: by.component,
          culprit: by.moment,
          partition,
          vp,
        },
        words,
      );
      if (!finding.concerns(`partition[${partition}].vp[${vp}].intercept`)) return;
      for (const moment of [fault.exit.moment, by.moment, input.now()]) finding.prove(moment);
    }

    function translated(fault: Fault, by: Deed, { input: given, output, status }: Answered): void {
      const page = readU64(given, GVA_PAGE);
      const flags = readU32(given, FLAGS);
      const { access, rip, gva } = fault;
      const isFirst = !fault.translated.has(page);
      const isFetch =
        access === EXECUTE && (page === rip || (gva !== undefined && page === gva >> PAGE_BITS));
      const forData = (flags & (VALIDATE_READ | VALIDATE_WRITE)) !== 0 && (flags & VALIDATE_EXECUTE) === 0;
      if (isFetch && isFirst && forData) {
        found(fault, by, 'access', 'error', {
          title: `${by.component} translates the address of an instruction for reading or writing, which nobody asked for`,
          fix: `let ${by.component} validate EXECUTE alone where an instruction fetch was intercepted`,
        });
      }
      if (fault.translated.size >= MAX_PAGES && isFirst) return;
      fault.translated.set(
        page,
        status === SUCCESS && output !== undefined ? readU64(output, GPA_PAGE) : undefined,
      );
    }

    function accessed(fault: Fault, by: Deed, given: Uint8Array): void {
      const base = readU64(given, BASE);
      const end = base + BigInt(readU32(given, COUNT));
      const { gva, gpa, isPair } = fault;
      if (gva === undefined) return;
      const page = base >> PAGE_BITS;
      const own = fault.translated.get(gva >> PAGE_BITS);
      if (own === undefined) {
        const known = [...fault.translated.values()].includes(page);
        if (isPair || known || page !== gpa >> PAGE_BITS || fault.translated.has(gva >> PAGE_BITS)) return;
        found(fault, by, 'pair', 'warning', {
          title: `${by.component} takes the addresses of an intercept for a pair, which gva_gpa_valid says they are not`,
          fix: `let ${by.component} translate guest_virtual_address where gva_gpa_valid is 0`,
        });
        return;
      }
      const offset = gva & OFFSET;
      const wanted = (own << PAGE_BITS) | offset;
      if (page !== own || offset === 0n || (base & OFFSET) !== 0n || (wanted >= base && wanted < end)) return;
      found(fault, by, 'offset', 'error', {
        title: `${by.component} accesses the beginning of a page instead of offset 0x${offset.toString(16)} in it`,
        fix: `let ${by.component} add the low 12 bits of the virtual address to the translated page`,
      });
    }

    return {
      step(step) {
        const { event } = step;
        if (event.kind === 'hypercall') {
          const hypercall = faults.size > 0 && isHost(step) ? answered(step) : undefined;
          if (hypercall === undefined) return;
          const fault = faults.get(vpKey(readU64(hypercall.input, PARTITION), readU32(hypercall.input, VP)));
          const by = fault === undefined ? undefined : makerOf(callers, step, event, input.now);
          if (fault === undefined || by === undefined) return;
          if (hypercall.control.code === TRANSLATE) translated(fault, by, hypercall);
          else accessed(fault, by, hypercall.input);
          return;
        }
        if (event.kind === 'mark') {
          if (event.what === 'gap') faults.clear();
        } else if (runs.left !== undefined) stopped(runs.left.vp, runs.left.exit);
        else if (runs.entered !== undefined) faults.delete(runs.entered.key);
      },
      end: () => cases.report(),
    };
  },
};

interface Deed {
  readonly component: string;
  readonly moment: Moment;
}

function faultOf(vp: RunVp, exit: Exit): Fault | undefined {
  const { message } = exit;
  if (message === undefined || !MEMORY.has(readU32(message, TYPE))) return undefined;
  const payload = message.subarray(PAYLOAD);
  const hasGva = readU32(payload, GVA_VALID) !== 0;
  return {
    vp,
    exit,
    access: readU32(payload, ACCESS),
    rip: readU64(payload, RIP) >> PAGE_BITS,
    gva: hasGva ? readU64(payload, GVA) : undefined,
    gpa: readU64(payload, GPA),
    isPair: readU32(payload, PAIR_VALID) !== 0,
    translated: new Map(),
  };
}
