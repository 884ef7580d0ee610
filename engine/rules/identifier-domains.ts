import {
  constantNumber,
  type FieldHandle,
  fieldOf,
  highHalf,
  hypercalls,
  lowHalf,
  readU32,
  readU64,
  statuses,
  structOf,
  VMBUS_MESSAGE_TYPE,
} from '../abi/index.ts';
import { PARTITION } from '../hypervisor/cells/partition.ts';
import { VP } from '../hypervisor/cells/vp.ts';
import { OWN_PARTITION } from '../hypervisor/index.ts';
import { type CellStore, keyOf, TOP } from '../state/store.ts';
import type { HypercallEvent } from '../trace/event.ts';
import { CaseBook } from './case-book.ts';
import type { Moment } from './open-finding.ts';
import type { Rule, RuleInput } from './rule.ts';
import { CALLERS } from './track/callers.ts';
import { makerOf, shownBeside } from './track/maker.ts';

const TRANSLATE = hypercalls.number('GET_VP_INDEX_FROM_APIC_ID');
const POST = hypercalls.number('POST_MESSAGE');
const RETARGET = hypercalls.number('RETARGET_INTERRUPT');

/** Every call that names a VP of a partition; creating one names one that is not there yet. */
const NAMING: ReadonlyMap<number, { readonly id: FieldHandle; readonly vp: FieldHandle }> = new Map(
  hypercalls.all().flatMap(({ value, input, abiName }) => {
    if (input === undefined || abiName === 'CREATE_VP') return [];
    const names = structOf(input).fields.map(({ name }) => name);
    if (!names.includes('partition_id') || !names.includes('vp_index')) return [];
    return [[value as number, { id: fieldOf(input, 'partition_id'), vp: fieldOf(input, 'vp_index') }]];
  }),
);

/** R20: VP indexes, APIC ids and CPU numbers are numbers of different things. */
export const identifierDomains: Rule = {
  id: 'R20',
  severity: 'error',
  title: 'A number of one kind stands where one of another kind is meant',
  meaning:
    'A VP index, an APIC id and a CPU number are numbers of different things. VP indexes are dense and start at 0; APIC ids may have gaps, and ' +
    'HVCALL_GET_VP_INDEX_FROM_APIC_ID says which VP has one. An APIC id where a VP index is meant names the right VP as long as both are the same, and on a ' +
    'larger machine another one, or none. Reported are calls that name a VP by an APIC id which was translated into another index, ' +
    'calls that the hypervisor refuses because the VP does not exist, and a contact with VMBus whose target VP the guest does not have.',
  silent: [
    'APIC ids and VP indexes are the same numbers, as on small machines.',
    'The VP that calls (HV_VP_INDEX_SELF) and any VP (HV_ANY_VP).',
    'The number is the index of a VP as well as the APIC id of another.',
    'A VP that is about to be created.',
    'The recording began mid-life: there may be VPs that it does not show.',
  ],
  source:
    'TLFS, HvCallGetVpIndexFromApicId, HvCallStartVirtualProcessor, Virtual Processor Indices; Linux commit “x86/hyperv: Fix APIC ID and VP index ' +
    'confusion in hv_snp_boot_ap()”; openvmm pull requests 3279 and 2731',
  watches: [{ kind: 'hypercall', codes: [TRANSLATE, POST, RETARGET, ...NAMING.keys()] }],
  needs: ['hypercall'],
  judge(input) {
    const callers = input.tracker(CALLERS);
    const translations = new Translations();
    const cases = new CaseBook(identifierDomains.id, input);
    return {
      step(step, store) {
        const { event } = step;
        if (event.kind !== 'hypercall' || event.input === undefined) return;
        const code = lowHalf(event.control) & 0xffff;
        // Most calls name a VP that is there.
        const isRefused = event.result?.status === INVALID_VP_INDEX;
        if (!isRefused && translations.areNone && code !== TRANSLATE && code !== POST) return;
        if (code === TRANSLATE) {
          translations.learn(event, highHalf(event.control) & 0xfff, input.now());
          return;
        }
        const wrong =
          code === POST ? contact(event, input.profile, store) : naming(event, code, translations);
        if (wrong === undefined) return;
        const maker = makerOf(callers, step, event, input.now, wrong.bytes);
        if (maker === undefined) return;
        const { component, moment: culprit } = maker;
        const name = hypercalls.name(code);
        const { kind, what, fix, severe, vp, partition, told } = wrong;
        const words = { title: `${component} makes ${name} ${what}`, fix: `let ${component} ${fix}` };
        const root = {
          cause: [component, kind, name],
          severity: severe ? 'error' : 'warning',
          component,
          culprit,
          vp,
        } as const;
        const about = partition === undefined ? {} : { partition };
        const finding = cases.open({ ...root, ...about, ...shownBeside(culprit, input.now()) }, words);
        if (told !== undefined && finding.root.vp === vp) finding.prove(told);
      },
      end: () => cases.report(),
    };
  },
};

interface Wrong {
  readonly kind: 'apic-id' | 'no-vp' | 'target-vp';
  readonly what: string;
  readonly fix: string;
  readonly severe: boolean;
  readonly vp: number;
  readonly partition?: bigint;
  readonly told?: Moment;
  readonly bytes?: Uint8Array;
}

/** Of each partition at most so many APIC ids are remembered. */
const MAX_IDS = 4096;
const MAX_PARTITIONS = 64;
const APIC_IDS = fieldOf('hv_get_vp_from_apic_id_in', 'apic_ids');
const ASKED = fieldOf('hv_get_vp_from_apic_id_in', 'partition_id');
const INDEXES = fieldOf('hv_output_get_vp_from_apic_id', 'vp_indexes');

/** What the hypervisor has said of APIC ids. */
class Translations {
  readonly #partitions = new Map<
    bigint,
    { readonly byApicId: Map<number, number>; readonly vps: Set<number>; moment: Moment }
  >();

  /** Nobody has asked for any. */
  get areNone(): boolean {
    return this.#partitions.size === 0;
  }

  learn({ input, output, result }: HypercallEvent, reps: number, moment: Moment): void {
    if (input === undefined || output === undefined || result === undefined) return;
    const partition = readU64(input, ASKED);
    let known = this.#partitions.get(partition);
    if (known === undefined) {
      if (this.#partitions.size === MAX_PARTITIONS) return;
      known = { byApicId: new Map(), vps: new Set(), moment };
      this.#partitions.set(partition, known);
    }
    for (let i = 0; i < Math.min(reps, result.reps) && known.byApicId.size < MAX_IDS; i++) {
      const vp = readU32(output, INDEXES, i);
      known.byApicId.set(readU32(input, APIC_IDS, i), vp);
      known.vps.add(vp);
      known.moment = moment;
    }
  }

  /** The index of the VP that has `id` for its APIC id, where `id` is no index that is known. */
  of(partition: bigint, id: number): { readonly vp: number; readonly moment: Moment } | undefined {
    const known = this.#partitions.get(partition);
    const vp = known?.byApicId.get(id);
    return known === undefined || vp === undefined || vp === id || known.vps.has(id)
      ? undefined
      : { vp, moment: known.moment };
  }
}

const INVALID_VP_INDEX = statuses.number('INVALID_VP_INDEX');
/** HV_ANY_VP, HV_VP_INDEX_SELF (TLFS, virtual processor indices). */
const SPECIAL = new Set([constantNumber('HV_ANY_VP'), constantNumber('HV_VP_INDEX_SELF')]);
const DEVICE = {
  id: fieldOf('hv_retarget_device_interrupt', 'partition_id'),
  flags: fieldOf('hv_retarget_device_interrupt', 'int_target.flags'),
  mask: fieldOf('hv_retarget_device_interrupt', 'int_target.vp_mask'),
};
/** HV_DEVICE_INTERRUPT_TARGET_PROCESSOR_SET (Linux 7.2 include/hyperv/hvgdk_mini.h): a set stands in the place of the mask. */
const BY_SET = 2;
const MASK_BITS = 64;

function naming(event: HypercallEvent, code: number, translations: Translations): Wrong | undefined {
  const { input, result } = event;
  if (input === undefined) return undefined;
  if (code === RETARGET) return target(input, translations);
  const fields = NAMING.get(code);
  if (fields === undefined) return undefined;
  const vp = readU32(input, fields.vp);
  if (SPECIAL.has(vp)) return undefined;
  const partition = readU64(input, fields.id);
  const translated = translations.of(partition, vp);
  if (translated !== undefined) return takenForIndex(vp, translated);
  if (result?.status !== INVALID_VP_INDEX) return undefined;
  return {
    kind: 'no-vp',
    what: `for VP ${vp}, which does not exist`,
    fix: 'name VPs by the index with which they were created',
    severe: false,
    vp,
    partition,
    bytes: input.subarray(fields.vp.offset, fields.vp.offset + fields.vp.size),
  };
}

function target(input: Uint8Array, translations: Translations): Wrong | undefined {
  if ((readU32(input, DEVICE.flags) & BY_SET) !== 0) return undefined;
  const mask = readU64(input, DEVICE.mask);
  for (let bit = 0; bit < MASK_BITS; bit++) {
    if (((mask >> BigInt(bit)) & 1n) === 0n) continue;
    const translated = translations.of(readU64(input, DEVICE.id), bit);
    if (translated !== undefined) return takenForIndex(bit, translated);
  }
  return undefined;
}

function takenForIndex(id: number, { vp, moment }: { readonly vp: number; readonly moment: Moment }): Wrong {
  return {
    kind: 'apic-id',
    what: `with the APIC id ${id} where a VP index is meant: the VP with that id is VP ${vp}`,
    fix: 'translate the APIC id (HVCALL_GET_VP_INDEX_FROM_APIC_ID) and give the index that comes back',
    severe: true,
    vp: id,
    told: moment,
  };
}

const MESSAGE = {
  type: fieldOf('hv_input_post_message', 'message_type'),
  payload: fieldOf('hv_input_post_message', 'payload').offset,
  channelType: fieldOf('vmbus_channel_initiate_contact', 'vmbus'),
  target: fieldOf('vmbus_channel_initiate_contact', 'target_vcpu'),
};
const INITIATE_CONTACT = 14;

/** A contact names the VP that the host is to send its messages to. */
function contact(
  { input, vp }: HypercallEvent,
  profile: RuleInput['profile'],
  store: CellStore,
): Wrong | undefined {
  if (input === undefined || readU32(input, MESSAGE.type) !== VMBUS_MESSAGE_TYPE) return undefined;
  const payload = input.subarray(MESSAGE.payload);
  if (readU32(payload, MESSAGE.channelType) !== INITIATE_CONTACT || profile.initial === 'unknown')
    return undefined;
  const target = readU32(payload, MESSAGE.target);
  if (SPECIAL.has(target)) return undefined;
  const exists = vp === undefined ? target < profile.cpus : hasVp(store, vp.partition, target);
  if (exists) return undefined;
  return {
    kind: 'target-vp',
    what: `to ask for VMBus messages at VP ${target}, which the guest does not have`,
    fix: 'name a VP of the guest as target of the contact, as a rule the one that makes it',
    severe: true,
    vp: target,
    ...(vp?.partition === undefined ? {} : { partition: vp.partition }),
  };
}

function hasVp(store: CellStore, partition: bigint | undefined, vp: number): boolean {
  const key = partition === undefined ? OWN_PARTITION : keyOf(partition);
  const id = store.find(TOP, PARTITION, key);
  return id === undefined || store.children(id, VP).length === 0 || store.find(id, VP, vp) !== undefined;
}
