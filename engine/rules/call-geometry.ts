import {
  decodeControl,
  encodeControl,
  fieldOf,
  highHalf,
  hypercalls,
  lowHalf,
  readU32,
  readU64,
} from '../abi/index.ts';
import { refusedControl } from '../hypervisor/call/legality.ts';
import { inputBytes, outputBytes } from '../hypervisor/call/size.ts';
import type { HypercallEvent } from '../trace/event.ts';
import { CaseBook } from './case-book.ts';
import type { Rule } from './rule.ts';
import { CALLERS } from './track/callers.ts';
import { isPassthrough, makerOf, shownBeside } from './track/maker.ts';

/** R08: the blocks of a hypercall have the shape that its call code asks for, and fit a page. */
export const callGeometry: Rule = {
  id: 'R08',
  severity: 'error',
  title: 'A hypercall does not have the shape of its call code',
  meaning:
    'A call code fixes the shape of the call: simple or rep, with a variable header or without, fast or not. Header, variable header and ' +
    'elements must fit into one page and not cross its end, pointers are aligned to 8 bytes, a rep call has at least one element and starts before the last, ' +
    'a simple call has none. The codes with _EX name their processors by a set: its format is sparse or all, and the variable header is as long ' +
    'as the banks that the mask of a sparse set names; the layout of the code without _EX is not a valid input. What a program passes through must be as long as the elements ' +
    'that it asks for: the kernel hands over the rest of its page as it is. How many elements fit depends on the call itself, never on another one.',
  silent: [
    'Unmapping has no list: 509, 512 or any other number of pages is legal.',
    'A set of format “all” has no banks.',
    'A call whose shape no public source has.',
    'What is recorded of a list is shorter than the list: the recorder may have kept a part.',
    'A rep call that goes on where it stopped has its rep start beyond 0.',
  ],
  source:
    'TLFS, Hypercall Interface (calling conventions, control word, variable-sized inputs), HV_VP_SET; microsoft/litebox issue 958; ' +
    'Linux 7.2 drivers/hv/mshv_root_main.c (mshv_ioctl_passthru_hvcall)',
  watches: ['hypercall'],
  needs: ['hypercall'],
  judge(input) {
    const callers = input.tracker(CALLERS);
    const cases = new CaseBook(callGeometry.id, input);
    return {
      step(step) {
        const { event } = step;
        if (event.kind !== 'hypercall') return;
        const caller = step.parent === undefined ? undefined : callers.callerOf(step);
        const passed = caller !== undefined && isPassthrough(caller.event);
        if (!passed && isOrdinary(event)) return;
        const wrong = wrongShape(event, passed);
        if (wrong === undefined) return;
        const maker = makerOf(callers, step, event, input.now);
        if (maker === undefined) return;
        const name = hypercalls.name(lowHalf(event.control) & 0xffff);
        const { component, moment: culprit } = maker;
        const words = {
          title: `${component} makes ${name} ${wrong.what}`,
          fix: `let ${component} ${wrong.fix}`,
        };
        const root = { cause: [component, name, wrong.kind], severity: 'error', component, culprit } as const;
        cases.open({ ...root, ...shownBeside(culprit, input.now()) }, words);
      },
      end: () => cases.report(),
    };
  },
};

interface Wrong {
  /** A word for the finding's id. */
  readonly kind: string;
  readonly what: string;
  readonly fix: string;
}

const PAGE_BYTES = 4096;
/** Of the 12 bits of a rep count. */
const MAX_REPS = 0xfff;
/** Bits of a control word beside the call code: fast, variable header, reserved; and those beside the rep count. */
const BESIDE_LOW = 0x7fff_0000;
const BESIDE_HIGH = 0xffff_f000;

/** By call code: how many elements of a rep call a page holds, on the side that holds fewer; 0: a simple call; -1: neither. */
const room = new Map<number, number>();

function roomOf(code: number): number {
  let known = room.get(code);
  if (known === undefined) {
    const row = hypercalls.find(code);
    const isKnown = row !== undefined && row.shape !== 'unknown' && !row.variableHeader;
    known = !isKnown ? -1 : row.shape === 'simple' ? 0 : largest(code);
    room.set(code, known);
  }
  return known;
}

function largest(code: number): number {
  const fits = (repCount: number): boolean => {
    const word = decodeControl(encodeControl({ code, repCount }));
    return inputBytes(word) <= PAGE_BYTES && outputBytes(word) <= PAGE_BYTES;
  };
  let reps = MAX_REPS;
  while (reps > 0 && !fits(reps)) reps--;
  return reps;
}

/** Nothing that could be wrong: as almost every call is. */
function isOrdinary({ control, inputGpa, outputGpa }: HypercallEvent): boolean {
  if (inputGpa !== undefined || outputGpa !== undefined) return false;
  const low = lowHalf(control);
  const reps = highHalf(control);
  if ((low & BESIDE_LOW) !== 0 || (reps & BESIDE_HIGH) !== 0) return false;
  const most = roomOf(low & 0xffff);
  return reps === 0 ? most === 0 : reps <= most;
}

function wrongShape(event: HypercallEvent, passed: boolean): Wrong | undefined {
  const { control, input, inputGpa, outputGpa } = event;
  const row = hypercalls.find(lowHalf(control) & 0xffff);
  if (row === undefined) return undefined;
  const word = decodeControl(control);
  const refused = refusedControl({ ...word, reserved: 0n }, row);
  if (refused !== undefined) return WORDS[refused.rule] ?? MALFORMED;
  if (row.shape === 'unknown') return undefined;
  const [read, written] = [inputBytes(word), outputBytes(word)];
  return (
    set(event, word.variableHeaderQwords, row.abiName) ??
    overflow('input', read, word.repCount) ??
    overflow('output', written, word.repCount) ??
    (word.fast ? undefined : place('input', inputGpa, read)) ??
    (word.fast ? undefined : place('output', outputGpa, written)) ??
    (passed && input !== undefined && input.length < read && word.repCount > 0
      ? tooShort(input.length, read, word.repCount)
      : undefined)
  );
}

/** By the rule of the hypervisor that refuses the control word. */
const WORDS: Readonly<Record<string, Wrong>> = {
  'TLFS.control.fast': {
    kind: 'fast',
    what: 'with its input in registers, which that call does not take',
    fix: 'give the input of that call in memory',
  },
  'TLFS.control.variable-header': {
    kind: 'variable-header',
    what: 'with a variable header, which that call does not have',
    fix: 'leave the size of the variable header 0 for that call',
  },
  'TLFS.control.rep-count': {
    kind: 'rep-count',
    what: 'with a rep count that does not fit: 0 for simple calls, at least 1 for rep calls',
    fix: 'give the rep count that the call has: none for a simple call, the number of elements for a rep call',
  },
  'TLFS.control.rep-start': {
    kind: 'rep-start',
    what: 'with a rep start that is not before the rep count',
    fix: 'stop when all elements are completed, and start a simple call at 0',
  },
};
const MALFORMED: Wrong = {
  kind: 'control',
  what: 'with a control word that no such call has',
  fix: 'build the control word from the shape of the call',
};

function overflow(side: 'input' | 'output', bytes: number, reps: number): Wrong | undefined {
  if (bytes <= PAGE_BYTES) return undefined;
  return {
    kind: `${side}-size`,
    what: `with ${reps} elements, whose ${side} takes ${bytes} bytes and no page holds it`,
    fix: `take as many elements at once as the ${side} page of that call holds, and not the number of another call`,
  };
}

function place(side: 'input' | 'output', gpa: bigint | undefined, bytes: number): Wrong | undefined {
  if (gpa === undefined || bytes === 0) return undefined;
  const offset = lowHalf(gpa) & (PAGE_BYTES - 1);
  if ((offset & 7) !== 0) {
    return {
      kind: `${side}-alignment`,
      what: `with its ${side} at an address that is no multiple of 8`,
      fix: `align the ${side} block to 8 bytes`,
    };
  }
  if (offset + bytes <= PAGE_BYTES) return undefined;
  return {
    kind: `${side}-crossing`,
    what: `with its ${side} across the end of a page`,
    fix: `put the ${side} block at the start of a page of its own`,
  };
}

function tooShort(given: number, needed: number, reps: number): Wrong {
  return {
    kind: 'short-input',
    what: `with ${given} bytes of input for ${reps} elements, which take ${needed}`,
    fix: 'make in_sz cover the header and all elements that reps asks for',
  };
}

/** A set of processors in an input: where it stands, and how many qwords of the variable header are not banks. */
interface SetPlace {
  readonly format: ReturnType<typeof fieldOf>;
  readonly mask: ReturnType<typeof fieldOf>;
  /** Linux counts the mask of the banks into the variable header of calls for device interrupts, other readings do not. */
  readonly extra: number;
  readonly flags?: ReturnType<typeof fieldOf>;
}

function placeOfSet(struct: string, path: string, extra: number, flags?: string): SetPlace {
  const [format, mask] = ['format', 'valid_bank_mask'].map((name) => fieldOf(struct, `${path}.${name}`));
  if (format === undefined || mask === undefined) throw new Error(`${struct} has no set`);
  return { format, mask, extra, ...(flags === undefined ? {} : { flags: fieldOf(struct, flags) }) };
}

const SETS: Readonly<Record<string, SetPlace>> = {
  FLUSH_VIRTUAL_ADDRESS_SPACE_EX: placeOfSet('hv_tlb_flush_ex', 'hv_vp_set', 0),
  FLUSH_VIRTUAL_ADDRESS_LIST_EX: placeOfSet('hv_tlb_flush_ex', 'hv_vp_set', 0),
  SEND_IPI_EX: placeOfSet('hv_send_ipi_ex', 'vp_set', 0),
  RETARGET_INTERRUPT: placeOfSet('hv_retarget_device_interrupt', 'int_target.vp_set', 1, 'int_target.flags'),
  MAP_DEVICE_INTERRUPT: placeOfSet(
    'hv_input_map_device_interrupt',
    'interrupt_descriptor.target.vp_set',
    1,
    'interrupt_descriptor.target.flags',
  ),
};
const SPARSE = 0n;
const ALL = 1n;
/** HV_DEVICE_INTERRUPT_TARGET_PROCESSOR_SET (Linux 7.2 include/hyperv/hvgdk_mini.h). */
const BY_SET = 2;

function set({ input }: HypercallEvent, qwords: number, name: string): Wrong | undefined {
  const at = SETS[name];
  if (at === undefined || input === undefined || input.length < at.mask.offset + 8) return undefined;
  if (at.flags !== undefined && (readU32(input, at.flags) & BY_SET) === 0) return undefined;
  const [format, mask] = [readU64(input, at.format), readU64(input, at.mask)];
  if (format !== SPARSE && format !== ALL) {
    return {
      kind: 'set-format',
      what: `with a processor set that is neither sparse nor all: the layout looks like that of the call without a set`,
      fix: 'give format, bank mask and banks where the call has a processor set, not a 64-bit mask',
    };
  }
  const banks = format === SPARSE ? bitsSet(mask) : 0;
  if (qwords === banks || qwords === banks + at.extra) return undefined;
  return {
    kind: 'set-banks',
    what: `with a processor set of ${banks} banks and a variable header for ${qwords}`,
    fix: 'make the variable header as many qwords long as the bank mask has bits',
  };
}

function bitsSet(mask: bigint): number {
  let count = 0;
  for (let rest = mask; rest !== 0n; rest &= rest - 1n) count++;
  return count;
}
