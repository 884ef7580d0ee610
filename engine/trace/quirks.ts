import type { KERNELS } from './profile.ts';

type Kernel = (typeof KERNELS)[number];

interface QuirkRow {
  /** What the driver does where it has the quirk. */
  readonly what: string;
  /** Kernels that have it: there it is on unless the profile says otherwise. */
  readonly kernels: readonly Kernel[];
}

const UPSTREAM: readonly Kernel[] = ['upstream-7.2', 'upstream-7.0', 'upstream-6.16'];

/**
 * What Linux 7.2 drivers/hv does otherwise than one would expect, each by the place where it shows; found by reading.
 * docs/engine.md says of each what the engine does with it on and off.
 */
const QUIRKS = {
  'gpap-noop-sets': {
    what: 'MSHV_GET_GPAP_ACCESS_BITMAP with the operation NOOP acts like SET',
    kernels: UPSTREAM,
  },
  'pinned-failure-swallowed': {
    what: 'a PINNED region of a partition without isolation that cannot be mapped: MSHV_SET_GUEST_MEMORY returns 0',
    kernels: UPSTREAM,
  },
  'large-page-undo-count': {
    what: 'undoing a partial map of large pages counts in units of 2 MiB',
    kernels: UPSTREAM,
  },
  'fast-injection-missing-vp': {
    what: 'fast injection of an interrupt does not check that there is such a VP',
    kernels: UPSTREAM,
  },
  'dispatch-trace-register-page': {
    what: 'the trace point of DISPATCH_VP reads the register page, which VPs of SNP partitions do not have',
    kernels: ['upstream-7.2'],
  },
  'hvcall-setup-size': {
    what: 'MSHV_HVCALL_SETUP compares a size in bytes with a count of elements',
    kernels: ['vtl'],
  },
  'root-hvcall-reps-spill': {
    what: 'the 16 bits of `reps` of MSHV_ROOT_HVCALL spill into the reserved bits of the control word',
    kernels: UPSTREAM,
  },
  'create-vp-deposits-first': {
    what: 'MSHV_CREATE_VP before MSHV_INITIALIZE_PARTITION deposits its pages and then fails',
    kernels: UPSTREAM,
  },
  'unmap-after-finalize': {
    what: 'at tear-down guest memory is unmapped after the partition was finalized',
    kernels: ['upstream-7.2', 'upstream-7.0'],
  },
  'unhandled-message-blocks-slot': {
    what: 'a message of a type that nobody handles is never taken out of slot 0 of the SIM page',
    kernels: UPSTREAM,
  },
} as const satisfies Readonly<Record<string, QuirkRow>>;

export type QuirkName = keyof typeof QUIRKS;

export const QUIRK_NAMES = Object.keys(QUIRKS) as readonly QuirkName[];

/** Whether the driver has each of them. */
export type Quirks = Readonly<Record<QuirkName, boolean>>;

/** What a kernel has by default. */
export function quirksOf(kernel: Kernel): Quirks {
  const has = (row: QuirkRow) => row.kernels.includes(kernel);
  return Object.fromEntries(QUIRK_NAMES.map((name) => [name, has(QUIRKS[name])])) as Record<
    QuirkName,
    boolean
  >;
}
