import { constantNumber, fieldOf, readU32, readU64, writeField } from '../../abi/index.ts';
import type { DriverRun, Outcome } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { IoctlEvent } from '../../trace/event.ts';
import type { Actor } from '../kernel/access.ts';
import { errnoOf, failure } from '../kernel/errno.ts';
import { hypercallCode, issue } from '../kernel/hypercall.ts';
import type { IoctlRow } from './ioctl-row.ts';
import { partitionOfHandle } from './objects.ts';

const RULE = 'Linux.mshv.gpap-access-bitmap';
const ARG = {
  bytes: 32,
  type: fieldOf('mshv_gpap_access_bitmap', 'access_type'),
  op: fieldOf('mshv_gpap_access_bitmap', 'access_op'),
  reserved: fieldOf('mshv_gpap_access_bitmap', 'rsvd'),
  pages: fieldOf('mshv_gpap_access_bitmap', 'page_count'),
  base: fieldOf('mshv_gpap_access_bitmap', 'gpap_base'),
  pointer: fieldOf('mshv_gpap_access_bitmap', 'bitmap_ptr'),
};
const TYPES = constantNumber('MSHV_GPAP_ACCESS_TYPE_COUNT');
const OPS = constantNumber('MSHV_GPAP_ACCESS_OP_COUNT');
const ACCESSED = constantNumber('MSHV_GPAP_ACCESS_TYPE_ACCESSED');
const NOOP = constantNumber('MSHV_GPAP_ACCESS_OP_NOOP');
const CLEAR = constantNumber('MSHV_GPAP_ACCESS_OP_CLEAR');
const INPUT = {
  bytes: 24,
  id: fieldOf('hv_input_get_gpa_pages_access_state', 'partition_id'),
  flags: fieldOf('hv_input_get_gpa_pages_access_state', 'flags'),
  base: fieldOf('hv_input_get_gpa_pages_access_state', 'hv_gpa_page_number'),
};
const GET_ACCESS_STATES = hypercallCode('GET_GPA_PAGES_ACCESS_STATES');
/** Pages of one call: a byte each, in a page, but for one (HV_GET_GPA_ACCESS_STATES_BATCH_SIZE). */
const BATCH = 4095;
/** union hv_gpa_page_access_state_flags: what is done to the bits after they were read. */
const AFTER = { clearAccessed: 1n, setAccessed: 2n, clearDirty: 4n, setDirty: 8n } as const;
/** A machine has no more pages than that; the driver fails to allocate the bytes for more. */
const MAX_PAGES = 1n << 32n;
const LIMIT = 1n << 61n;

/**
 * Clearing accessed clears dirty too, setting dirty sets accessed too. That no operation is taken for setting is the
 * quirk `gpap-noop-sets`; without it the bits stay as they were read.
 */
function flagsOf({ profile }: Context, type: number, op: number): bigint {
  if (op === NOOP && !profile.quirks['gpap-noop-sets']) return 0n;
  if (op === CLEAR) return type === ACCESSED ? AFTER.clearAccessed | AFTER.clearDirty : AFTER.clearDirty;
  return type === ACCESSED ? AFTER.setAccessed : AFTER.setAccessed | AFTER.setDirty;
}

function isBad(arg: Uint8Array): boolean {
  const reserved = arg.subarray(ARG.reserved.offset, ARG.reserved.offset + ARG.reserved.length);
  if (readU32(arg, ARG.type) >= TYPES || readU32(arg, ARG.op) >= OPS) return true;
  if (reserved.some((byte) => byte !== 0)) return true;
  return readU64(arg, ARG.pages) === 0n || readU64(arg, ARG.pointer) === 0n;
}

function* enter(context: Context, actor: Actor, event: IoctlEvent, arg: Uint8Array): DriverRun<Outcome> {
  if (isBad(arg)) return { ret: failure('EINVAL'), rule: RULE };
  const pages = readU64(arg, ARG.pages);
  if (pages >= LIMIT) return { ret: failure('E2BIG'), rule: RULE };
  if (pages >= MAX_PAGES) return { ret: failure('ENOMEM'), rule: RULE };
  const { partition } = partitionOfHandle(context, event.handle);
  const count = Number(pages);
  const type = readU32(arg, ARG.type);
  const bitmap = new Uint8Array(Math.ceil(count / 8));
  const shown = event.ret === 0 ? event.out?.data : undefined;
  for (let done = 0; done < count; ) {
    const reps = Math.min(BATCH, count - done);
    const input = new Uint8Array(INPUT.bytes);
    writeField(input, INPUT.id, partition);
    writeField(input, INPUT.flags, flagsOf(context, type, readU32(arg, ARG.op)));
    writeField(input, INPUT.base, readU64(arg, ARG.base) + BigInt(done));
    const output = shown === undefined ? undefined : statesOf(shown, type, done, reps);
    const recorded = output === undefined ? {} : { recorded: { output } };
    const answer = yield* issue(actor, GET_ACCESS_STATES, input, { reps, ...recorded });
    const ret = errnoOf(answer, context.profile);
    if (ret !== 0) return { ret, rule: RULE };
    const states = answer.output ?? new Uint8Array(0);
    for (let i = 0; i < reps; i++) {
      const at = done + i;
      if ((((states[i] ?? 0) >> type) & 1) === 1)
        bitmap[at >> 3] = (bitmap[at >> 3] as number) | (1 << (at & 7));
    }
    done += reps;
  }
  return { ret: 0, out: { data: bitmap }, rule: RULE };
}

/** What a recorded bitmap says of the states that the hypervisor must have told. */
function statesOf(bitmap: Uint8Array, type: number, from: number, count: number): Uint8Array {
  return Uint8Array.from({ length: count }, (_, i) => {
    const at = from + i;
    return (((bitmap[at >> 3] ?? 0) >> (at & 7)) & 1) << type;
  });
}

/** MSHV_GET_GPAP_ACCESS_BITMAP (Linux 7.2 drivers/hv/mshv_root_main.c, mshv_partition_ioctl_get_gpap_access_bitmap). */
export const ACCESS_BITMAP_IOCTL: IoctlRow = {
  fd: 'partition',
  name: 'MSHV_GET_GPAP_ACCESS_BITMAP',
  argBytes: ARG.bytes,
  enter,
};
