import {
  allIoctls,
  argumentLayout,
  decodeControl,
  type FdKind,
  fieldOf,
  findIoctl,
  highHalf,
  hypercallInputLayout,
  hypercalls,
  lowHalf,
  mayHaveReservedSet,
  type ReservedBits,
  readU32,
  readU64,
  reservedBits,
  type SetReserved,
  setReserved,
  structOf,
} from '../abi/index.ts';
import type { Step } from '../replay/step.ts';
import { dialectOf } from '../trace/dialect.ts';
import type { HypercallEvent, IoctlEvent } from '../trace/event.ts';
import type { Finding } from './finding.ts';
import { type Moment, OpenFinding } from './open-finding.ts';
import { judgeReservedMsrBits, RESERVING_MSRS } from './reserved-msr-bits.ts';
import type { Rule, RuleInput } from './rule.ts';
import { CALLERS, type Caller, type CallerTracker } from './track/callers.ts';
import { callThatReturns, type Maker, makerOf, programOf } from './track/maker.ts';
import { list } from './words.ts';

/** What MSHV_CREATE_PARTITION may take instead of its argument: more members, of which some are reserved. */
function longest(argument: string): string {
  return argument === 'mshv_create_partition' ? 'mshv_create_partition_v2' : argument;
}

/** Requests of which the argument has reserved members. */
const RESERVING_IOCTLS: readonly number[] = allIoctls().flatMap(({ number, argument }) => {
  if (number === undefined || argument === undefined || argument === 'u32' || argument === 'char') return [];
  return reservedBits(structOf(longest(argument))).words.length === 0 ? [] : [number];
});

/** R05: what a source marks as reserved is zero, and what it marks as preserved keeps its value. */
export const reservedFields: Rule = {
  id: 'R05',
  severity: 'error',
  title: 'A reserved field is not zero, or a preserved one is changed',
  meaning:
    'Reserved bits of a hypercall control word, of an input block, of an ioctl structure and of a synthetic MSR must be zero or keep the ' +
    'value that was read. A hypervisor that checks refuses the call, another takes the bits for what they will mean one day. Input blocks ' +
    'lie on a page that is used again and again: who sets members one by one leaves what the call before had put there, ' +
    'and the call fails or not by what ran before it on that CPU. The finding says where the bytes are those of the previous call. The ' +
    'partition id of a change of host access must be zero too, unless pages are made exclusive. It is an error where the call was refused, else a warning. ' +
    'One finding covers all calls of one kind by one component.',
  silent: [
    'All reserved members are zero, whatever stands behind the block on its page.',
    'Payload of a posted message beyond its size is not sent and may be anything.',
    'An output block need not be cleared by the caller.',
    'A mask of disabled features with all its reserved bits set disables what is not defined yet.',
    'A member that another version of the interface defines.',
    'Preserved bits of an MSR are written back as they were read, or nobody has read them.',
  ],
  source:
    'TLFS, Hypercall Inputs (reserved bits of the control word) and SynIC MSRs (RsvdP, RsvdZ); Linux 7.2 include/hyperv (rsvdz, padding, ' +
    'reserved); review of “Drivers: hv: Introduce mshv_root module”, v5; Linux drivers/hv/mshv_root_hv_call.c ' +
    '(hv_call_modify_spa_host_access)',
  watches: [
    'hypercall',
    { kind: 'ioctl', ops: RESERVING_IOCTLS },
    { kind: 'msr', msrs: RESERVING_MSRS },
    'lifecycle',
    'mark',
  ],
  needs: [],
  judge(input) {
    const callers = input.tracker(CALLERS);
    const cases = new Cases(input);
    const blocks = new InputBlocks(callers, cases);
    const msrs = judgeReservedMsrBits(reservedFields.id, input);
    const dialect = dialectOf(input.profile.kernel);
    return {
      step(step, store) {
        const { event } = step;
        if (event.kind === 'hypercall') blocks.step(step, event, input);
        else if (event.kind === 'ioctl') {
          if (step.returned)
            judgeArgument(event, event.dialect ?? dialect, callThatReturns(callers, step), cases);
        } else msrs.step(step, store);
      },
      end() {
        cases.close();
        msrs.end();
      },
    };
  },
};

/** What was wrong with one input or argument. */
interface Wrong {
  readonly where: string;
  readonly fields: readonly string[];
  readonly refused: boolean;
  /** The previous call, where the bytes are its. */
  readonly stale?: { readonly name: string; readonly moment: Moment } | undefined;
}

/** One finding for each component and kind of call. */
class Cases {
  readonly #input: RuleInput;
  readonly #open = new Map<string, { finding: OpenFinding; wrong: Wrong; fields: Set<string> }>();

  constructor(input: RuleInput) {
    this.#input = input;
  }

  add(wrong: Wrong, { component, moment }: Maker, shown: Moment): void {
    const key = `${component} ${wrong.where}`;
    let known = this.#open.get(key);
    if (known === undefined) {
      const finding = new OpenFinding({
        rule: reservedFields.id,
        cause: [component, wrong.where],
        severity: 'warning',
        component,
        culprit: moment,
        ...(shown.step === moment.step ? {} : { shown }),
      });
      known = { finding, wrong, fields: new Set() };
      this.#open.set(key, known);
      this.#input.begun(finding);
      if (wrong.stale !== undefined) finding.prove(wrong.stale.moment);
    }
    if (wrong.refused) known.finding.escalate('error');
    for (const field of wrong.fields) known.fields.add(field);
  }

  close(): void {
    for (const { finding, wrong, fields } of this.#open.values()) {
      this.#input.report(closeCase(finding, wrong, [...fields]));
    }
  }
}

function closeCase(finding: OpenFinding, { where, stale }: Wrong, fields: readonly string[]): Finding {
  const { component } = finding.root;
  const named = list(fields.slice(0, 4));
  const are = fields.length > 1 ? 'are' : 'is';
  const from = stale === undefined ? '' : `: left over from ${stale.name} on the same page`;
  const title = `${component} gives ${where} with ${named} set, which ${are} reserved${from}`;
  const fix =
    stale === undefined
      ? `let ${component} leave ${named} of ${where} zero`
      : `let ${component} clear the input block before it fills in ${where}`;
  return finding.close(title, fix);
}

const CONTROL_RESERVED_LOW = 0x7800_0000;
const CONTROL_RESERVED_HIGH = 0xf000_f000;
const HOST_ACCESS = {
  codes: new Set<number>(
    ['ACQUIRE', 'RELEASE'].map((verb) => hypercalls.number(`${verb}_SPARSE_SPA_PAGE_HOST_ACCESS`)),
  ),
  id: fieldOf('hv_input_modify_sparse_spa_page_host_access', 'partition_id'),
  flags: fieldOf('hv_input_modify_sparse_spa_page_host_access', 'flags'),
  /** HV_MODIFY_SPA_PAGE_HOST_ACCESS_MAKE_EXCLUSIVE (Linux 7.2 include/hyperv/hvhdk.h). */
  exclusive: 1,
};

/** The last input that was seen on a page; written over by the next, so that nothing is made for each call. */
interface Previous {
  event: HypercallEvent;
  bytes: Uint8Array;
  moment: Moment;
}

const MAX_PAGES = 8192;

/** Hypercalls: their control words and input blocks. */
class InputBlocks {
  readonly #callers: CallerTracker;
  readonly #cases: Cases;
  /** By call code; null: nothing is reserved in it, or nobody knows. */
  readonly #reserved = new Map<number, ReservedBits | null>();
  /** By CPU, or by the page where it is recorded. */
  readonly #previous = new Map<number | bigint, Previous>();

  constructor(callers: CallerTracker, cases: Cases) {
    this.#callers = callers;
    this.#cases = cases;
  }

  step(step: Step, event: HypercallEvent, input: RuleInput): void {
    const { control, input: bytes } = event;
    const low = lowHalf(control);
    if ((low & CONTROL_RESERVED_LOW) !== 0 || (highHalf(control) & CONTROL_RESERVED_HIGH) !== 0) {
      this.#add(step, event, 'the control word', ['bits that must be zero'], undefined, input);
    }
    if (bytes === undefined) return;
    const code = low & 0xffff;
    const variable = 8 * ((low >>> 17) & 0x3ff);
    const bits = this.#bitsOf(code);
    if (bits !== null && mayHaveReservedSet(bits, bytes, variable)) this.#block(step, event, bytes, input);
    if (HOST_ACCESS.codes.has(code)) this.#hostAccess(step, event, bytes, input);
    this.#remember(event, bytes, (low & 0x1_0000) !== 0, input);
  }

  #bitsOf(code: number): ReservedBits | null {
    let bits = this.#reserved.get(code);
    if (bits === undefined) {
      const layout = hypercallInputLayout(code);
      bits = layout === undefined ? null : reservedBits(layout);
      this.#reserved.set(code, bits);
    }
    return bits;
  }

  #block(step: Step, event: HypercallEvent, bytes: Uint8Array, input: RuleInput): void {
    const { code, variableHeaderQwords } = decodeControl(event.control);
    const layout = hypercallInputLayout(code);
    if (layout === undefined) return;
    const set = setReserved(layout, bytes, 8 * variableHeaderQwords).filter(
      (member) => !isDeliberate(member),
    );
    const first = set[0];
    if (first === undefined) return;
    const paths = set.map(({ path }) => path);
    this.#add(step, event, nameOf(event), paths, first, input);
  }

  #hostAccess(step: Step, event: HypercallEvent, bytes: Uint8Array, input: RuleInput): void {
    if ((readU32(bytes, HOST_ACCESS.flags) & HOST_ACCESS.exclusive) !== 0) return;
    if (readU64(bytes, HOST_ACCESS.id) === 0n) return;
    const member = { path: 'partition_id', offset: HOST_ACCESS.id.offset, size: 8, full: false };
    this.#add(step, event, nameOf(event), ['partition_id'], member, input);
  }

  #add(
    step: Step,
    event: HypercallEvent,
    where: string,
    fields: readonly string[],
    member: SetReserved | undefined,
    input: RuleInput,
  ): void {
    const bytes = member && event.input?.subarray(member.offset, member.offset + member.size);
    const maker = makerOf(this.#callers, step, event, input.now, bytes);
    if (maker === undefined) return;
    const previous = this.#previous.get(pageOf(event) ?? -1);
    // What a program gives stands in its own memory.
    const isStale =
      previous !== undefined &&
      member !== undefined &&
      maker.caller === undefined &&
      left(previous, event, member);
    const stale = isStale ? { name: nameOf(previous.event), moment: previous.moment } : undefined;
    const refused = event.fault === true || (event.result !== undefined && event.result.status !== 0);
    this.#cases.add({ where, fields, refused, stale }, maker, input.now());
  }

  #remember(event: HypercallEvent, bytes: Uint8Array, fast: boolean, input: RuleInput): void {
    const page = pageOf(event);
    if (page === undefined || fast) return;
    const previous = this.#previous.get(page);
    if (previous !== undefined) {
      previous.event = event;
      previous.bytes = bytes;
      previous.moment = input.now();
      return;
    }
    if (this.#previous.size >= MAX_PAGES) this.#previous.clear();
    this.#previous.set(page, { event, bytes, moment: input.now() });
  }
}

/** Where the input block of a call lies; undefined where that is not known, as of a guest's. */
function pageOf({ inputGpa, cpu, vp }: HypercallEvent): number | bigint | undefined {
  if (inputGpa !== undefined) return inputGpa >> 12n;
  return vp === undefined ? cpu : undefined;
}

/** The bytes of a member are those that the previous call had there. */
function left({ bytes }: Previous, { input }: HypercallEvent, { offset, size }: SetReserved): boolean {
  if (input === undefined || bytes.length < offset + size) return false;
  for (let at = offset; at < offset + size; at++) if (bytes[at] !== input[at]) return false;
  return true;
}

/** All reserved bits of a mask of features are ones: what is not defined yet is disabled too. */
function isDeliberate({ path, full }: SetReserved): boolean {
  return full && path.includes('disabled_');
}

function nameOf({ control }: HypercallEvent): string {
  return hypercalls.name(decodeControl(control).code);
}

/** Arguments of ioctls, when it is known what they came to. */
function judgeArgument(
  event: IoctlEvent,
  dialect: NonNullable<IoctlEvent['dialect']>,
  caller: Caller | undefined,
  cases: Cases,
): void {
  const { arg, handle, op } = event;
  if (arg === undefined || caller === undefined) return;
  const row = findIoctl(dialect, handle.kind as FdKind, op);
  if (row === undefined || row.argument === 'u32' || row.argument === 'char') return;
  const layout = argumentLayout(row, arg);
  if (layout === undefined || !mayHaveReservedSet(reservedBits(layout), arg)) return;
  const set = setReserved(layout, arg);
  if (set.length === 0) return;
  const refused = (event.ret ?? 0) < 0;
  cases.add(
    { where: row.name, fields: set.map(({ path }) => path), refused },
    programOf(caller),
    caller.moment,
  );
}
