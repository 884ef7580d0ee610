import {
  constantNumber,
  fieldOf,
  hypercalls,
  msrs,
  partitionProperties,
  readU32,
  readU64,
} from '../abi/index.ts';
import type { HypercallEvent, MsrEvent } from '../trace/event.ts';
import type { VpRef } from '../trace/handle.ts';
import type { CpuidLeaf } from '../trace/profile.ts';
import { CaseBook, type Words } from './case-book.ts';
import type { Moment } from './open-finding.ts';
import type { Rule } from './rule.ts';
import { CALLERS } from './track/callers.ts';
import { answered, call, isDone, status } from './track/hypercall.ts';
import { makerOf } from './track/maker.ts';
import { isHost, PARTITIONS } from './track/partition-tracker.ts';

type Register = keyof CpuidLeaf;
/** A bit of CPUID that says that something may be used (TLFS, feature discovery; SDM volume 2, CPUID). */
interface Gate {
  readonly leaf: number;
  readonly register: Register;
  readonly bit: number;
}
const gate = (leaf: number, register: Register, bit: number): Gate => ({ leaf, register, bit });

const FEATURES = constantNumber('HYPERV_CPUID_FEATURES');
const NESTED = constantNumber('HYPERV_CPUID_NESTED_FEATURES');

const CALLS: ReadonlyMap<number, Gate> = new Map([
  [call('FLUSH_GUEST_PHYSICAL_ADDRESS_SPACE'), gate(NESTED, 'eax', 18)],
  [call('FLUSH_GUEST_PHYSICAL_ADDRESS_LIST'), gate(NESTED, 'eax', 18)],
  [call('POST_MESSAGE'), gate(FEATURES, 'ebx', 4)],
  [call('SIGNAL_EVENT'), gate(FEATURES, 'ebx', 5)],
]);
/** MSRs from a number on, as many as stand here, and what allows them. */
const RANGES: readonly (readonly [first: number, count: number, gate: Gate])[] = [
  [msrs.number('GUEST_OS_ID'), 2, gate(FEATURES, 'eax', 5)],
  [msrs.number('VP_INDEX'), 1, gate(FEATURES, 'eax', 6)],
  [msrs.number('REFERENCE_TSC'), 1, gate(FEATURES, 'eax', 9)],
  [msrs.number('SCONTROL'), 5, gate(FEATURES, 'eax', 2)],
  [msrs.number('SINT0'), 16, gate(FEATURES, 'eax', 2)],
  [msrs.number('STIMER0_CONFIG'), 8, gate(FEATURES, 'eax', 3)],
];
/** The deadline of the local APIC’s timer: its mode in the LVT entry, and the MSR (SDM volume 3, APIC timer). */
const LVT_TIMER = 0x832;
const DEADLINE_MODE = 0x40000n;
const TSC_DEADLINE = 0x6e0;
const DEADLINE = gate(1, 'ecx', 24);

const REFUSALS: ReadonlySet<number> = new Set([status('INVALID_HYPERCALL_CODE'), status('ACCESS_DENIED')]);

const REGISTER_RESULT = call('REGISTER_INTERCEPT_RESULT');
const SET_PROPERTY = call('SET_PARTITION_PROPERTY');
const CPUID_TYPE = constantNumber('HV_INTERCEPT_TYPE_X64_CPUID');
const result = (path: string) => fieldOf('hv_input_register_intercept_result', path);
const RESULT_PARTITION = result('partition_id');
const RESULT_TYPE = result('intercept_type');
const LEAF = result('parameters.cpuid.input.eax');
const VALUES: Readonly<Record<Register, ReturnType<typeof fieldOf>>> = {
  eax: result('parameters.cpuid.result.eax'),
  ebx: result('parameters.cpuid.result.ebx'),
  ecx: result('parameters.cpuid.result.ecx'),
  edx: result('parameters.cpuid.result.edx'),
};
const PROPERTY_PARTITION = fieldOf('hv_input_set_partition_property', 'partition_id');
const PROPERTY = fieldOf('hv_input_set_partition_property', 'property_code');
const VALUE = fieldOf('hv_input_set_partition_property', 'property_value');
const UNIMPLEMENTED = partitionProperties.number('UNIMPLEMENTED_MSR_ACTION');
/** MSRs of the processor and the local APIC, which hypervisors have in part: a fault says nothing of the policy. */
const SYNTHETIC = [0x4000_0000, 0x4000_1fff] as const;
const X2APIC = [0x800, 0x8ff] as const;
const MAX_PARTITIONS = 1024;

/** What a VMM has told a guest of its processor. */
interface Advertised {
  readonly component: string;
  readonly moment: Moment;
  readonly leaf: CpuidLeaf;
}

/** R19: what CPUID offers can be used, and what it does not offer is not used. */
export const featureGates: Rule = {
  id: 'R19',
  severity: 'error',
  title: 'A feature that CPUID offers is refused, or one that it does not offer is used',
  meaning:
    'CPUID tells a guest which MSRs, hypercalls and modes it may use. What is offered and then refused (#GP, ' +
    'INVALID_HYPERCALL_CODE, ACCESS_DENIED) stops a guest that believes it: whoever set the bit promised what the hypervisor ' +
    'does not keep. What is not offered and used all the same is refused, and the guest did not look. A guest that reads an ' +
    'MSR the hypervisor does not implement gets #GP unless its VMM has set UNIMPLEMENTED_MSR_ACTION; that is a hint, as guests ' +
    'may count on the fault.',
  silent: [
    'A feature whose CPUID leaf is not in the trace: the guest may never have seen the bit.',
    'A call that is refused for another reason.',
    'An MSR that the partition’s policy ignores, or that only faults for the value written.',
  ],
  source:
    'TLFS, feature discovery (leafs 0x40000003, 0x4000000A); SDM, CPUID and APIC timer; OpenVMM pull request 3879; Cloud Hypervisor pull request ' +
    '6594 and commit ada85f68f',
  watches: [{ kind: 'hypercall', codes: [...CALLS.keys(), REGISTER_RESULT, SET_PROPERTY] }, 'msr'],
  needs: [],
  judge(input) {
    const callers = input.tracker(CALLERS);
    const partitions = input.tracker(PARTITIONS);
    const cases = new CaseBook(featureGates.id, input);
    const advertised = new Map<string, Advertised>();
    /** Partitions whose VMM has chosen what becomes of MSRs that are not implemented. */
    const chosen = new Set<bigint>();

    /** Whether somebody was offered something, and by whom; undefined where the trace does not say it. */
    function offered(vp: VpRef | undefined, { leaf, register, bit }: Gate) {
      const own = vp === undefined ? input.profile.cpuid.get(leaf) : undefined;
      const told = vp === undefined ? undefined : advertised.get(`${vp.partition} ${leaf}`);
      const values = told?.leaf ?? own;
      if (values === undefined) return undefined;
      return { isOffered: ((values[register] >>> bit) & 1) !== 0, told };
    }

    function found(
      what: string,
      by: { component: string; moment: Moment },
      severity: 'error' | 'warning' | 'info',
      words: Words,
      vp: VpRef | undefined,
    ): void {
      const { component, moment: culprit } = by;
      const of = vp?.partition === undefined ? {} : { partition: vp.partition };
      const finding = cases.open(
        { cause: [component, what], severity, component, culprit, shown: input.now(), ...of },
        words,
      );
      if (finding.concerns(`partition[${vp?.partition ?? 'self'}].cpuid[${what}]`))
        finding.prove(input.now());
    }

    function refused(name: string, wanted: Gate, event: MsrEvent | HypercallEvent, isUnknown: boolean): void {
      const { vp } = event;
      const component = event.component ?? (vp === undefined ? 'unknown' : 'guest');
      const offer = offered(vp, wanted);
      if (offer === undefined) return;
      const { leaf, register, bit } = wanted;
      const where = `CPUID leaf 0x${leaf.toString(16)} ${register} bit ${bit}`;
      if (!offer.isOffered) {
        if (component === 'unknown') return;
        const by = { component, moment: input.now() };
        const title = `${component} uses ${name}, which ${where} does not offer`;
        found(
          name,
          by,
          'warning',
          { title, fix: `let ${component} use ${name} only where that bit is set` },
          vp,
        );
      } else if (isUnknown) {
        const by = offer.told ?? { component: 'hypervisor', moment: input.now() };
        const title = `${name} is offered by ${where} and refused`;
        found(name, by, 'error', { title, fix: `let ${by.component} not offer ${name}: clear that bit` }, vp);
      }
    }

    function onMsr(event: MsrEvent): void {
      const { msr, dir, value, vp } = event;
      if (event.fault !== true) return;
      const isDeadline =
        msr === TSC_DEADLINE ||
        (msr === LVT_TIMER && dir === 'write' && value !== undefined && (value & DEADLINE_MODE) !== 0n);
      if (isDeadline) {
        refused('the TSC deadline', DEADLINE, event, true);
        return;
      }
      for (const [first, count, wanted] of RANGES) {
        if (msr >= first && msr < first + count)
          refused(msrs.name(msr as Parameters<typeof msrs.name>[0]), wanted, event, false);
      }
      if (vp?.partition !== undefined && dir === 'read') unimplemented(msr, vp.partition, vp);
    }

    function unimplemented(msr: number, partition: bigint, vp: VpRef): void {
      const life = partitions.life(partition);
      if (life === undefined || chosen.has(partition) || isIn(SYNTHETIC, msr) || isIn(X2APIC, msr)) return;
      const by = { component: 'vmm', moment: life.since };
      found(
        'unimplemented-msr',
        by,
        'info',
        {
          title: `the guest reads MSR 0x${msr.toString(16)}, which the hypervisor does not implement, and gets #GP`,
          fix: 'let vmm set UNIMPLEMENTED_MSR_ACTION to ignore such MSRs before the guest runs, unless it counts on the fault',
        },
        vp,
      );
    }

    function ofHost(
      code: number,
      given: Uint8Array,
      by: { component: string; moment: Moment } | undefined,
    ): void {
      if (code === SET_PROPERTY) {
        if (readU32(given, PROPERTY) !== UNIMPLEMENTED || readU64(given, VALUE) === 0n) return;
        if (chosen.size < MAX_PARTITIONS) chosen.add(readU64(given, PROPERTY_PARTITION));
        return;
      }
      if (by === undefined || readU32(given, RESULT_TYPE) !== CPUID_TYPE || advertised.size >= MAX_PARTITIONS)
        return;
      const read = (register: Register) => readU32(given, VALUES[register]);
      const leaf = { eax: read('eax'), ebx: read('ebx'), ecx: read('ecx'), edx: read('edx') };
      advertised.set(`${readU64(given, RESULT_PARTITION)} ${readU32(given, LEAF)}`, { ...by, leaf });
    }

    return {
      step(step) {
        const { event } = step;
        if (event.kind === 'msr') onMsr(event);
        if (event.kind !== 'hypercall') return;
        const code = Number(event.control & 0xffffn);
        const wanted = CALLS.get(code);
        if (wanted !== undefined) {
          const answer = event.result?.status;
          if (answer !== undefined && REFUSALS.has(answer))
            refused(hypercalls.name(code), wanted, event, true);
          return;
        }
        const hypercall = isHost(step) ? answered(step) : undefined;
        if (hypercall === undefined || !isDone(hypercall.status)) return;
        ofHost(code, hypercall.input, makerOf(callers, step, event, input.now));
      },
      end: () => cases.report(),
    };
  },
};

function isIn([first, last]: readonly [number, number], msr: number): boolean {
  return msr >= first && msr <= last;
}
