import { constantNumber, fieldOf, readU32, readU64, writeField } from '../../../abi/index.ts';
import type { DriverRun, Outcome } from '../../../machine/child.ts';
import type { Context } from '../../../machine/context.ts';
import type { IoctlEvent } from '../../../trace/event.ts';
import type { Actor } from '../../kernel/access.ts';
import { errnoOf, failure } from '../../kernel/errno.ts';
import { hypercall, hypercallCode } from '../../kernel/hypercall.ts';
import { isUserRange, unread } from '../../kernel/user-memory.ts';
import type { IoctlRow } from '../ioctl-row.ts';
import type { VpId } from '../pages.ts';
import { vpOfCall } from '../run/vp.ts';
import { currentState, HYPERVISOR_TYPES, keepState } from './data.ts';
import { GET_STATE, inputOf, SET_STATE, transfer } from './transfer.ts';

const RULE = 'Linux.mshv.vp-state';
const ARG = {
  bytes: 16,
  type: fieldOf('mshv_get_set_vp_state', 'type'),
  reserved: fieldOf('mshv_get_set_vp_state', 'rsvd'),
  size: fieldOf('mshv_get_set_vp_state', 'buf_sz'),
  pointer: fieldOf('mshv_get_set_vp_state', 'buf_ptr'),
};
const TYPES = constantNumber('MSHV_VP_STATE_COUNT');
const XSAVE = constantNumber('MSHV_VP_STATE_XSAVE');
const TIMERS = constantNumber('MSHV_VP_STATE_SYNTHETIC_TIMERS');
const TIMER_BYTES = 200;
const PAGE_BYTES = constantNumber('HV_HYP_PAGE_SIZE');
/** Pages that one call lists (HV_GET_VP_STATE_BATCH_SIZE, HV_SET_VP_STATE_BATCH_SIZE). */
const MOST_PAGES = constantNumber('HV_GET_VP_STATE_BATCH_SIZE');

const PROPERTY = {
  bytes: 16,
  id: fieldOf('hv_input_get_partition_property', 'partition_id'),
  code: fieldOf('hv_input_get_partition_property', 'property_code'),
  value: fieldOf('hv_output_get_partition_property', 'property_value'),
};
const XSAVE_STATES = constantNumber('HV_PARTITION_PROPERTY_XSAVE_STATES');
const MAX_XSAVE = constantNumber('HV_PARTITION_PROPERTY_MAX_XSAVE_DATA_SIZE');
/** x87 and SSE are always asked for. */
const LEGACY_STATES = 3n;

const GET_PROPERTY = hypercallCode('GET_PARTITION_PROPERTY');

function isBad(arg: Uint8Array): boolean {
  const reserved = arg.subarray(ARG.reserved.offset, ARG.reserved.offset + ARG.reserved.length);
  const [size, pointer] = [readU32(arg, ARG.size), readU64(arg, ARG.pointer)];
  if (readU32(arg, ARG.type) >= TYPES || reserved.some((byte) => byte !== 0)) return true;
  return size === 0 || size % PAGE_BYTES !== 0 || pointer % BigInt(PAGE_BYTES) !== 0n;
}

function* property(actor: Actor, partition: bigint, code: number) {
  const input = new Uint8Array(PROPERTY.bytes);
  writeField(input, PROPERTY.id, partition);
  writeField(input, PROPERTY.code, code);
  const answer = yield* hypercall(actor, GET_PROPERTY, input);
  return { answer, value: readU64(answer.output ?? new Uint8Array(0), PROPERTY.value) };
}

/** Bytes that the state takes, and the XSAVE states that are asked for. */
function* sizeOf(
  context: Context,
  actor: Actor,
  vp: VpId,
  type: number,
): DriverRun<{ readonly ret: number; readonly bytes: number; readonly states: bigint }> {
  if (type === TIMERS) return { ret: 0, bytes: TIMER_BYTES, states: 0n };
  if (type !== XSAVE) return { ret: 0, bytes: PAGE_BYTES, states: 0n };
  const states = yield* property(actor, vp.partition, XSAVE_STATES);
  let ret = errnoOf(states.answer, context.profile);
  if (ret !== 0) return { ret, bytes: 0, states: 0n };
  const size = yield* property(actor, vp.partition, MAX_XSAVE);
  ret = errnoOf(size.answer, context.profile);
  return { ret, bytes: Number(size.value & 0xffff_ffffn), states: states.value | LEGACY_STATES };
}

function* enter(
  context: Context,
  actor: Actor,
  event: IoctlEvent,
  arg: Uint8Array,
  set: boolean,
): DriverRun<Outcome> {
  if (isBad(arg)) return { ret: failure('EINVAL'), rule: RULE };
  const given = readU32(arg, ARG.size);
  // So that the pages of the buffer cannot wrap, which is looked for later (EOVERFLOW).
  if (!isUserRange(readU64(arg, ARG.pointer), BigInt(given))) return { ret: failure('EFAULT'), rule: RULE };
  const vp = vpOfCall(event);
  const type = readU32(arg, ARG.type);
  const needed = yield* sizeOf(context, actor, vp, type);
  if (needed.ret !== 0) return { ret: needed.ret, rule: RULE };
  const after = arg.slice(0, ARG.bytes);
  writeField(after, ARG.size, needed.bytes);
  const out = { arg: after };
  if (given < needed.bytes) return { ret: failure('EINVAL'), out, rule: RULE };
  const state = { vp, type, tNs: event.t };
  const what = { type: HYPERVISOR_TYPES[type] ?? 0, flags: 0n, states: needed.states };
  // All pages of the buffer are listed, however many of them the state takes.
  const pages = type === TIMERS ? 0 : given / PAGE_BYTES;
  if (pages > MOST_PAGES) return { ret: failure('EINVAL'), out, rule: RULE };
  if (!set) {
    const made = inputOf(context, vp, what, pages);
    const recorded = event.ret === 0 ? event.out?.data : undefined;
    const shown = type === TIMERS ? recorded?.slice(0, TIMER_BYTES) : undefined;
    const { ret, output } = yield* transfer(context, actor, vp, GET_STATE, made, shown);
    if (ret !== 0) return { ret, out, rule: RULE };
    const data =
      type === TIMERS
        ? output.subarray(0, TIMER_BYTES)
        : currentState(context, state, recorded?.length ?? pages * PAGE_BYTES, recorded);
    return { ret, out: { arg: after, data }, rule: RULE };
  }
  if (event.in === undefined) return unread(event, RULE);
  const list = type === TIMERS ? event.in.subarray(0, TIMER_BYTES) : pages;
  const { ret } = yield* transfer(context, actor, vp, SET_STATE, inputOf(context, vp, what, list));
  if (ret === 0 && type !== TIMERS) keepState(context, state, event.in);
  return { ret, out, rule: RULE };
}

/** MSHV_GET_VP_STATE and MSHV_SET_VP_STATE (Linux 7.2 drivers/hv/mshv_root_main.c, mshv_vp_ioctl_get_set_state). */
export const VP_STATE_IOCTLS: readonly IoctlRow[] = (['GET', 'SET'] as const).map((which) => ({
  fd: 'vp',
  name: `MSHV_${which}_VP_STATE`,
  argBytes: ARG.bytes,
  enter: (context, actor, event, arg) => enter(context, actor, event, arg, which === 'SET'),
}));
