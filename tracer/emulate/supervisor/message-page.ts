import {
  cellAt,
  groupAt,
  type Overlay,
  paddedMessage,
  VP,
  vpOfRef,
} from '../../../engine/hypervisor/index.ts';
import type { LiveMachine } from '../../../engine/replay/live.ts';
import type { MessageEvent } from '../../../engine/trace/event.ts';
import type { AskHost, Stamped } from './asks.ts';
import type { Guest } from './guest.ts';

/** The pages of the hypervisor that a VP's guest sees. */
export interface OverlayBytes {
  readOverlay(vp: number, name: Overlay, offset: number, length: number): Uint8Array | undefined;
  writeOverlay(vp: number, name: Overlay, offset: number, bytes: Uint8Array): void;
}

const SLOT_BYTES = 256;
const SLOTS = 16;
const TYPE_BYTES = 4;
const FLAGS_AT = 5;
const PENDING = 1;
const { slot } = VP.slots.synic;

/** What a message event does to the message and event flag pages of a VP that its guest sees (TLFS, SIM and SIEF page). */
export function showMessage(
  { machine }: Pick<LiveMachine, 'machine'>,
  memory: OverlayBytes,
  event: MessageEvent,
): void {
  const { vp: ref, sint, what } = event;
  const vp = ref === undefined ? undefined : vpOfRef(machine, ref);
  if (vp === undefined || ref?.vp === undefined) return;
  const at = sint * SLOT_BYTES;
  if (what === 'deliver' && event.slot !== undefined) {
    const bytes = paddedMessage(event.slot);
    bytes[FLAGS_AT] = machine.store.low(cellAt(vp, groupAt(slot, sint) + slot.slots.flags));
    memory.writeOverlay(ref.vp, 'SIMP', at, bytes);
  } else if (what === 'busy') {
    memory.writeOverlay(ref.vp, 'SIMP', at + FLAGS_AT, Uint8Array.of(PENDING));
  } else if (what === 'event' && event.flag !== undefined) {
    const byte = at + Math.floor(event.flag / 8);
    const was = memory.readOverlay(ref.vp, 'SIEFP', byte, 1)?.[0] ?? 0;
    memory.writeOverlay(ref.vp, 'SIEFP', byte, Uint8Array.of(was | (1 << (event.flag % 8))));
  }
}

/** The guest has freed slots by writing to its message page, which nobody saw: the engine hears of it before what it does next. */
export function takeCleared(host: AskHost, guest: Guest, stamped: Stamped): void {
  const { partition, index, memory } = guest;
  const vp = host.find(guest);
  if (vp === undefined) return;
  const { store } = host.live.machine;
  for (let sint = 0; sint < SLOTS; sint++) {
    const at = groupAt(slot, sint);
    if (store.low(cellAt(vp, at + slot.slots.filled)) === 0) continue;
    const type = memory.readOverlay(index, 'SIMP', sint * SLOT_BYTES, TYPE_BYTES);
    if (type === undefined || type.some((byte) => byte !== 0)) continue;
    host.live.feed({
      kind: 'message',
      t: host.now(),
      provenance: 'emulated',
      component: 'guest',
      vp: { partition, vp: index },
      ...stamped,
      sint,
      what: 'clear',
      flags: store.low(cellAt(vp, at + slot.slots.flags)),
    });
  }
}
