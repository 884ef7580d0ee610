/**
 * CPUID of a guest before its parent's results lie over it: what the processor says (profile `cpuid`), and the leaves of the
 * hypervisor, which follow from the synthetic processor features that the partition was made with (Linux 7.2 include/hyperv
 * hvhdk.h: union hv_partition_synthetic_processor_features; TLFS, feature and interface discovery).
 */
import { constantNumber } from '../../abi/index.ts';
import type { Context } from '../../machine/context.ts';
import type { ObjectId } from '../../state/store.ts';
import { PROPERTY } from '../cells/partition.ts';
import { cellAt } from '../cells/place.ts';
import { propertyCode } from '../partition/property-rules.ts';

/** The registers that one CPUID instruction gives. */
export interface CpuidValues {
  readonly eax: number;
  readonly ebx: number;
  readonly ecx: number;
  readonly edx: number;
}

const FEATURES = propertyCode('SYNTHETIC_PROC_FEATURES');
const PRIVILEGES = propertyCode('PRIVILEGE_FLAGS');

const NOTHING: CpuidValues = { eax: 0, ebx: 0, ecx: 0, edx: 0 };
const FEATURE_LEAF = 1;
const HYPERVISOR_PRESENT = 0x8000_0000;

const FIRST = 0x4000_0000;
const INTERFACE = 0x4000_0001;
const VERSION = 0x4000_0002;
const PRIVILEGE_LEAF = 0x4000_0003;
const RECOMMENDATIONS = 0x4000_0004;
const LIMITS = 0x4000_0005;
const LAST = 0x4000_0006;

/** "Microsoft Hv", and "Hv#1". */
const VENDOR = { ebx: 0x7263_694d, ecx: 0x666f_736f, edx: 0x7648_2074 };
const HV_1 = 0x3123_7648;
/** 10.0, and the first build that mshv was made for (Linux 7.2 drivers/hv/mshv_root_main.c). */
const VERSION_10_0 = 0xa_0000;
const BUILD = constantNumber('MSHV_HV_MIN_VERSION');
const PROCESSORS = constantNumber('HV_MAX_VP_INDEX') + 1;
/** Of recommendations: how often a spin lock is tried before the hypervisor is told; never. */
const NEVER = 0xffff_ffff;

/** Bits of hv_partition_synthetic_processor_features. */
const BIT = {
  ...{ present: 0, hv1: 1, runtime: 2, interrupts: 6, idle: 10, frequencies: 11, gvaRanges: 15 },
  ...{ fastOutput: 18, startVp: 20, directTimers: 22, masks: 24, ipis: 26 },
  ...{ distances: 28, signals: 29 },
} as const;

/** Those of 7 privileges in a row stand in leaf 0x40000003 two bits lower; those from the reference TSC page to the frequencies do not move. */
const MOVED = 0x7f;
const UNMOVED = 0xe00;

const has = (features: bigint, bit: number): boolean => ((features >> BigInt(bit)) & 1n) !== 0n;

function bits(features: bigint, places: readonly (readonly [bit: number, place: number])[]): number {
  return places.reduce((all, [bit, place]) => (has(features, bit) ? all | (1 << place) : all), 0);
}

/** Access rights, and what else there is (TLFS, leaf 0x40000003); other privileges are those that the parent gave. */
function privileges(features: bigint, given: bigint): CpuidValues {
  const low = Number(BigInt.asUintN(32, features));
  const rights = [
    [BIT.signals, 5],
    [BIT.startVp, 21],
  ] as const;
  const available = [
    [BIT.idle, 5],
    [BIT.distances, 7],
    [BIT.frequencies, 8],
    [BIT.gvaRanges, 14],
    [BIT.fastOutput, 15],
    [BIT.directTimers, 19],
  ] as const;
  return {
    eax: ((low >>> BIT.runtime) & MOVED) | (low & UNMOVED),
    ebx: (Number(BigInt.asUintN(32, given >> 32n)) | bits(features, rights)) >>> 0,
    ecx: 0,
    edx: bits(features, available),
  };
}

/**
 * What the hypervisor would rather have its guest do (leaf 0x40000004): the hypercalls that it was given, relaxed timing. Which of
 * them a hypervisor recommends is its own affair: these are those that QEMU gives for the same features (docs/system/i386/hyperv.rst),
 * but for flushing translations: a guest processor keeps its own (engine/cpu), and no call of another one takes them away.
 */
function recommendations(features: bigint): CpuidValues {
  const RELAXED_TIMING = 0x20;
  const EX_MASKS = 11;
  const eax = bits(features, [
    [BIT.ipis, 10],
    [BIT.masks, EX_MASKS],
  ]);
  return { eax: eax | RELAXED_TIMING, ebx: NEVER, ecx: 0, edx: 0 };
}

function hypervisorLeaf(features: bigint, given: bigint, leaf: number): CpuidValues {
  const isHv1 = has(features, BIT.hv1);
  if (leaf === FIRST) return { eax: isHv1 ? LAST : INTERFACE, ...VENDOR };
  if (!isHv1) return NOTHING;
  switch (leaf) {
    case INTERFACE:
      return { ...NOTHING, eax: HV_1 };
    case VERSION:
      return { ...NOTHING, eax: BUILD, ebx: VERSION_10_0 };
    case PRIVILEGE_LEAF:
      return privileges(features, given);
    case RECOMMENDATIONS:
      return recommendations(features);
    case LIMITS:
      return { ...NOTHING, eax: PROCESSORS, ebx: PROCESSORS };
    default:
      return NOTHING;
  }
}

function property({ store }: Context, partition: ObjectId, code: number): bigint {
  const id = store.find(partition, PROPERTY, code);
  return id === undefined ? 0n : store.get(cellAt(id, PROPERTY.slots.value));
}

/**
 * What CPUID gives a VP of a partition where its parent registered nothing; `shown` is what a record shows of the processor. Of the
 * version the profile may say another one.
 */
export function ownCpuid(
  context: Context,
  vp: ObjectId,
  leaf: number,
  shown: CpuidValues | undefined = context.profile.cpuid.get(leaf),
): CpuidValues {
  const partition = context.store.parent(vp);
  const features = property(context, partition, FEATURES);
  if (!has(features, BIT.present)) return shown ?? NOTHING;
  const isHypervisors = leaf >= FIRST && leaf <= LAST;
  if (isHypervisors && !(leaf === VERSION && shown !== undefined))
    return hypervisorLeaf(features, property(context, partition, PRIVILEGES), leaf);
  const base = shown ?? NOTHING;
  return leaf === FEATURE_LEAF ? { ...base, ecx: (base.ecx | HYPERVISOR_PRESENT) >>> 0 } : base;
}
