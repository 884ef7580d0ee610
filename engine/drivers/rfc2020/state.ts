import { constantNumber, fieldOf, readU32, readU64 } from '../../abi/index.ts';
import { LAPIC_BYTES } from '../../hypervisor/index.ts';
import type { DriverRun, Outcome } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { IoctlEvent } from '../../trace/event.ts';
import type { Actor } from '../kernel/access.ts';
import { failure } from '../kernel/errno.ts';
import { isUserRange, unread } from '../kernel/user-memory.ts';
import type { IoctlRow } from '../mshv/ioctl-row.ts';
import type { VpId } from '../mshv/pages.ts';
import { vpOfCall } from '../mshv/run/vp.ts';
import { currentState, keepState } from '../mshv/state/data.ts';
import { GET_STATE, inputOf, SET_STATE, transfer } from '../mshv/state/transfer.ts';

const RULE = 'Linux.rfc2020.vp-state';
const ARG = {
  bytes: 40,
  type: fieldOf('rfc2020_mshv_vp_state', 'type'),
  flags: fieldOf('rfc2020_mshv_vp_state', 'xsave.flags'),
  states: fieldOf('rfc2020_mshv_vp_state', 'xsave.states'),
  size: fieldOf('rfc2020_mshv_vp_state', 'buf_size'),
  pointer: fieldOf('rfc2020_mshv_vp_state', 'buf'),
};
/** The hypervisor's types: the argument has them as they are. */
const LAPIC = 0;
const XSAVE = 0x8000_0001;
/** Where what is kept of a VP has XSAVE: ../mshv/state/data.ts. */
const XSAVE_PLACE = constantNumber('MSHV_VP_STATE_XSAVE');
const PAGE_BYTES = BigInt(constantNumber('HV_HYP_PAGE_SIZE'));
/** Pages that one call lists (HV_GET_VP_STATE_BATCH_SIZE): what a page takes behind the 40 bytes before them. */
const MOST_PAGES = (PAGE_BYTES - 40n) / 8n;

/** Why the argument is refused; 0 where it is not. */
function refused(arg: Uint8Array): number {
  const [type, size, pointer] = [readU32(arg, ARG.type), readU64(arg, ARG.size), readU64(arg, ARG.pointer)];
  const bad = failure('EINVAL');
  if (type === LAPIC) return size < BigInt(LAPIC_BYTES) ? bad : 0;
  if (type !== XSAVE || size % PAGE_BYTES !== 0n || pointer % PAGE_BYTES !== 0n) return bad;
  if (!isUserRange(pointer, size)) return failure('EFAULT');
  return size === 0n || size / PAGE_BYTES > MOST_PAGES ? bad : 0;
}

function xsaveOf(vp: VpId, { t }: IoctlEvent) {
  return { vp, type: XSAVE_PLACE, tNs: t };
}

function typeOf(arg: Uint8Array) {
  return {
    type: readU32(arg, ARG.type),
    flags: readU64(arg, ARG.flags),
    states: readU64(arg, ARG.states),
  };
}

function* get(context: Context, actor: Actor, event: IoctlEvent, arg: Uint8Array): DriverRun<Outcome> {
  const bad = refused(arg);
  if (bad !== 0) return { ret: bad, rule: RULE };
  const vp = vpOfCall(event);
  const what = typeOf(arg);
  const recorded = event.ret === 0 ? event.out?.data : undefined;
  const pages = what.type === LAPIC ? 0 : Number(readU64(arg, ARG.size) / PAGE_BYTES);
  const shown = what.type === LAPIC ? recorded : undefined;
  const made = inputOf(context, vp, what, pages);
  const { ret, output } = yield* transfer(context, actor, vp, GET_STATE, made, shown);
  if (ret !== 0) return { ret, rule: RULE };
  const bytes = pages * Number(PAGE_BYTES);
  const data =
    what.type === LAPIC
      ? output.slice(0, LAPIC_BYTES)
      : currentState(context, xsaveOf(vp, event), recorded?.length ?? bytes, recorded);
  return { ret, out: { data }, rule: RULE };
}

function* set(context: Context, actor: Actor, event: IoctlEvent, arg: Uint8Array): DriverRun<Outcome> {
  const bad = refused(arg);
  if (bad !== 0) return { ret: bad, rule: RULE };
  const given = event.in;
  if (given === undefined) return unread(event, RULE);
  const vp = vpOfCall(event);
  const what = typeOf(arg);
  const inCall = what.type === LAPIC;
  const list = inCall ? given.slice(0, LAPIC_BYTES) : Number(readU64(arg, ARG.size) / PAGE_BYTES);
  const { ret } = yield* transfer(context, actor, vp, SET_STATE, inputOf(context, vp, what, list));
  if (ret === 0 && !inCall) keepState(context, xsaveOf(vp, event), given);
  return { ret, rule: RULE };
}

/**
 * State of a VP as the RFC of 2020 had it (patches to linux-hyperv, mshv_vp_ioctl_get_set_state): the LAPIC travels
 * in the call, XSAVE in pages of the program. Nothing of the argument is written back.
 */
export const STATE_IOCTLS: readonly IoctlRow[] = [
  { fd: 'vp', name: 'MSHV_GET_VP_STATE', argBytes: ARG.bytes, enter: get },
  { fd: 'vp', name: 'MSHV_SET_VP_STATE', argBytes: ARG.bytes, enter: set },
];
