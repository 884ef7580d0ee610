import { fieldOf, readU32 } from '../../abi/index.ts';
import { cellAt } from '../../hypervisor/index.ts';
import type { Context } from '../../machine/context.ts';
import type { ObjectId } from '../../state/store.ts';
import { GPADL_STATES, VMBUS_GPADL } from '../cells/vmbus.ts';
import { type Effects, known, made, seen } from './effects.ts';

const HEADER = {
  relid: fieldOf('vmbus_channel_gpadl_header', 'child_relid'),
  gpadl: fieldOf('vmbus_channel_gpadl_header', 'gpadl'),
  rangeBytes: fieldOf('vmbus_channel_gpadl_header', 'range_buflen'),
  ranges: fieldOf('vmbus_channel_gpadl_header', 'rangecount'),
  byteCount: fieldOf('vmbus_channel_gpadl_header', 'range.byte_count'),
  pages: fieldOf('vmbus_channel_gpadl_header', 'range.pfn_array'),
};
const BODY = {
  gpadl: fieldOf('vmbus_channel_gpadl_body', 'gpadl'),
  pages: fieldOf('vmbus_channel_gpadl_body', 'pfn'),
};
const CREATED = {
  gpadl: fieldOf('vmbus_channel_gpadl_created', 'gpadl'),
  status: fieldOf('vmbus_channel_gpadl_created', 'creation_status'),
};
const TEARDOWN = fieldOf('vmbus_channel_gpadl_teardown', 'gpadl');
const TORNDOWN = fieldOf('vmbus_channel_gpadl_torndown', 'gpadl');

/** A page frame in a list, and what stands before the list of a range. */
const FRAME_BYTES = 8;
const RANGE_BYTES = 8;

type GpadlCell = keyof typeof VMBUS_GPADL.slots;

function set(context: Context, id: ObjectId, name: GpadlCell, value: number): void {
  context.store.set(cellAt(id, VMBUS_GPADL.slots[name]), value);
}

function setState(context: Context, id: ObjectId, state: (typeof GPADL_STATES)[number]): void {
  set(context, id, 'state', GPADL_STATES.indexOf(state));
}

/** Frames that a message lists from `offset` on. */
function framesFrom(payload: Uint8Array, offset: number): number {
  return Math.max(0, Math.floor((payload.length - offset) / FRAME_BYTES));
}

function destroy(context: Context, gpadl: number): void {
  const id = known(context, VMBUS_GPADL, gpadl);
  if (id !== undefined) context.store.destroy(id);
}

/** What becomes of memory that is shared with the host (Linux 7.2 drivers/hv/channel.c, __vmbus_establish_gpadl). */
export const GPADL_EFFECTS: Effects = {
  GPADL_HEADER(context, payload) {
    const id = made(context, VMBUS_GPADL, readU32(payload, HEADER.gpadl));
    const lists = readU32(payload, HEADER.rangeBytes) - RANGE_BYTES * readU32(payload, HEADER.ranges);
    set(context, id, 'channel', readU32(payload, HEADER.relid));
    set(context, id, 'bytes', readU32(payload, HEADER.byteCount));
    set(context, id, 'pages', Math.max(0, Math.floor(lists / FRAME_BYTES)));
    set(context, id, 'named', framesFrom(payload, HEADER.pages.offset));
    setState(context, id, 'creating');
  },
  GPADL_BODY(context, payload) {
    const id = seen(context, VMBUS_GPADL, readU32(payload, BODY.gpadl));
    const before = context.store.number(cellAt(id, VMBUS_GPADL.slots.named));
    set(context, id, 'named', before + framesFrom(payload, BODY.pages.offset));
  },
  GPADL_CREATED(context, payload) {
    const gpadl = readU32(payload, CREATED.gpadl);
    if (readU32(payload, CREATED.status) !== 0) destroy(context, gpadl);
    else setState(context, seen(context, VMBUS_GPADL, gpadl), 'created');
  },
  GPADL_TEARDOWN(context, payload) {
    setState(context, seen(context, VMBUS_GPADL, readU32(payload, TEARDOWN)), 'ending');
  },
  GPADL_TORNDOWN: (context, payload) => destroy(context, readU32(payload, TORNDOWN)),
};
