import { constantNumber, fieldOf, readU32, readU64, writeField } from '../../abi/index.ts';
import type { Context } from '../../machine/context.ts';
import type { ObjectId } from '../../state/store.ts';
import { SINT_COUNT } from '../cells/cpu.ts';
import { cellAt, groupAt } from '../cells/place.ts';
import { VP } from '../cells/vp.ts';
import { paddedMessage } from '../intercept/message.ts';
import { currentLapic, keepLapic, LAPIC_BYTES } from '../lapic/state.ts';
import { VP_FILE } from '../synic/file.ts';
import { flagWord, setFlagWord, WORD_COUNT } from '../synic/flags.ts';

/**
 * State of a VP that HVCALL_GET_VP_STATE and HVCALL_SET_VP_STATE pass in pages of the caller (Linux 7.2 include/hyperv/hvhdk.h,
 * enum hv_get_set_vp_state_type). The pages are not part of the call; who has seen them says here what they hold.
 */
const LAPIC = 0x8000_0000;
const SIM = 0x8000_0002;
const SIEF = 0x8000_0003;

const PAGE_BYTES = constantNumber('HV_HYP_PAGE_SIZE');
const MESSAGE_BYTES = constantNumber('HV_MESSAGE_SIZE');
const TYPE = fieldOf('hv_message', 'header.message_type');
const FLAGS = fieldOf('hv_message', 'header.message_flags');
const WORD = fieldOf('hv_register_value', 'reg64');
const WORD_BYTES = 8;
const { slot } = VP.slots.synic;

function messagePage({ store }: Context, vp: ObjectId): Uint8Array {
  const page = new Uint8Array(PAGE_BYTES);
  for (let sint = 0; sint < SINT_COUNT; sint++) {
    const at = groupAt(slot, sint);
    const blob = store.number(cellAt(vp, at + slot.slots.content));
    const message = paddedMessage(blob === 0 ? page.subarray(0, 0) : store.blob(blob));
    writeField(message, TYPE, store.low(cellAt(vp, at + slot.slots.type)) >>> 0);
    message[FLAGS.offset] = store.low(cellAt(vp, at + slot.slots.flags));
    page.set(message, sint * MESSAGE_BYTES);
  }
  return page;
}

/** Messages that wait for a slot stay: what is put into it comes before them. */
function keepMessagePage({ store }: Context, vp: ObjectId, page: Uint8Array): void {
  for (let sint = 0; sint < SINT_COUNT; sint++) {
    const at = groupAt(slot, sint);
    const message = page.slice(sint * MESSAGE_BYTES, (sint + 1) * MESSAGE_BYTES);
    const type = readU32(message, TYPE);
    store.set(cellAt(vp, at + slot.slots.content), store.intern(message));
    store.set(cellAt(vp, at + slot.slots.type), type);
    store.set(cellAt(vp, at + slot.slots.flags), message[FLAGS.offset] ?? 0);
    store.set(cellAt(vp, at + slot.slots.filled), Number(type !== 0));
  }
}

function flagsPage(context: Context, vp: ObjectId): Uint8Array {
  const page = new Uint8Array(PAGE_BYTES);
  for (let i = 0; i < WORD_COUNT; i++)
    writeField(page, { ...WORD, stride: WORD_BYTES }, flagWord(context, vp, VP_FILE, i), i);
  return page;
}

function keepFlagsPage(context: Context, vp: ObjectId, page: Uint8Array): void {
  for (let i = 0; i < WORD_COUNT; i++)
    setFlagWord(context, vp, VP_FILE, i, readU64(page, { ...WORD, stride: WORD_BYTES }, i));
}

/** Bytes of a state, and behind them nothing; undefined for one that the hypervisor's side does not keep (XSAVE). */
export function pageState(context: Context, vp: ObjectId, type: number, tNs: number): Uint8Array | undefined {
  if (type === LAPIC) return currentLapic(context, vp, tNs);
  if (type === SIM) return messagePage(context, vp);
  return type === SIEF ? flagsPage(context, vp) : undefined;
}

function padded(bytes: Uint8Array, length: number): Uint8Array {
  const all = new Uint8Array(length);
  all.set(bytes.subarray(0, length));
  return all;
}

/** Takes over a state from the pages of the caller; what they do not have is 0. */
export function keepPageState(
  context: Context,
  vp: ObjectId,
  type: number,
  bytes: Uint8Array,
  tNs: number,
): void {
  if (type === LAPIC) keepLapic(context, vp, padded(bytes, LAPIC_BYTES), tNs);
  else if (type === SIM) keepMessagePage(context, vp, padded(bytes, PAGE_BYTES));
  else if (type === SIEF) keepFlagsPage(context, vp, padded(bytes, PAGE_BYTES));
}

/** Nothing of the VP runs by itself while it is held: no timer, whose end would change its state when the hypervisor's clock says so. */
export function isSettled({ store }: Context, vp: ObjectId): boolean {
  const { lapic, timerDue } = VP.slots;
  if (store.number(cellAt(vp, lapic.due)) !== 0) return false;
  for (let i = 0; i < timerDue.count; i++)
    if (store.number(cellAt(vp, timerDue.first + i)) !== 0) return false;
  return true;
}

/** The pages of a SynIC that a `page` event can show, by their states. */
const SHOWN = { simp: SIM, siefp: SIEF } as const;

/** Takes over what a `page` event shows of a VP's message or event flag page. */
export function noteSynicPage(
  context: Context,
  vp: ObjectId,
  page: keyof typeof SHOWN,
  pieces: readonly { readonly offset: number; readonly bytes: Uint8Array }[],
  tNs: number,
): void {
  const all = pageState(context, vp, SHOWN[page], tNs) ?? new Uint8Array(PAGE_BYTES);
  for (const { offset, bytes } of pieces)
    if (offset < PAGE_BYTES) all.set(bytes.subarray(0, PAGE_BYTES - offset), offset);
  keepPageState(context, vp, SHOWN[page], all, tNs);
}
