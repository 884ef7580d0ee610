import type { NoteRequest } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { ObjectId } from '../../state/store.ts';
import type { TraceEvent } from '../../trace/event.ts';
import { CPU, SINT_COUNT } from '../cells/cpu.ts';
import { cellAt, groupAt } from '../cells/place.ts';
import { VP } from '../cells/vp.ts';
import { isToldAlready } from '../host/told.ts';
import { messageType } from '../intercept/message.ts';
import { vpOfRef } from '../vp/find.ts';
import { requestInterrupt } from '../vp/request.ts';
import { noteSignals } from '../vp/signalled.ts';
import { cpuOf, oldestQueued, queueOf } from './deliver.ts';
import { TIMER, timerOf } from './expire.ts';
import { fileOf, type SynicFile, VP_FILE } from './file.ts';
import { changeFlag } from './flags.ts';

const PENDING = 1;
/** Vectors below are exceptions. */
const FIRST_VECTOR = 16;
const LAST_VECTOR = 255;

type MessageNote = Extract<NoteRequest | TraceEvent, { kind: 'message' }>;

/**
 * What a message event does to the message page and the queues: the same whether it was recorded, made by the
 * hypervisor or done by a driver (TLFS, SIM page: a slot is free while its message type is 0).
 */
export function noteMessage(context: Context, event: MessageNote): void {
  const cpu = event.vp === undefined ? cpuOf(context, event.cpu) : vpOfRef(context, event.vp);
  if (cpu === undefined || event.sint >= SINT_COUNT) return;
  const file = event.vp === undefined ? fileOf(context, event.sint) : VP_FILE;
  switch (event.what) {
    case 'deliver':
      if (isToldAlready(context, event)) return;
      if (event.slot !== undefined) noteSignals(context, event.slot);
      fill(context, cpu, file, event);
      return;
    case 'busy':
      if (event.slot !== undefined) noteSignals(context, event.slot);
      enqueue(context, cpu, file, event);
      return;
    case 'clear':
      if (event.flag !== undefined) changeFlag(context, cpu, file, event.sint, event.flag, false);
      else clear(context, cpu, file, event.sint);
      return;
    case 'drop': {
      const dropped = cellAt(cpu, file.slots.dropped);
      context.store.set(dropped, context.store.number(dropped) + 1);
      return;
    }
    case 'interrupt':
      if (event.vp !== undefined) requested(context, cpu, event.vector ?? 0);
      return;
    case 'event':
      if (event.flag !== undefined) changeFlag(context, cpu, file, event.sint, event.flag, true);
      return;
    case 'read':
      return;
  }
}

function fill(context: Context, cpu: ObjectId, file: SynicFile, event: MessageNote): void {
  const { store } = context;
  const at = groupAt(file.slots.slot, event.sint);
  const { filled, type, flags, content, queued } = file.slots.slot.slots;
  const waiting = oldestQueued(context, cpu, file, event.sint);
  if (waiting !== undefined) {
    store.destroy(waiting);
    store.set(cellAt(cpu, at + queued), store.number(cellAt(cpu, at + queued)) - 1);
  }
  store.set(cellAt(cpu, at + filled), 1);
  if (event.slot === undefined) return;
  if (event.vp === undefined && !file.nested) timerStopped(context, cpu, event.slot);
  store.set(cellAt(cpu, at + type), messageType(event.slot));
  store.set(cellAt(cpu, at + content), store.intern(event.slot));
  store.set(cellAt(cpu, at + flags), store.number(cellAt(cpu, at + queued)) > 0 ? PENDING : 0);
}

function enqueue(context: Context, cpu: ObjectId, file: SynicFile, event: MessageNote): void {
  const { store } = context;
  const at = groupAt(file.slots.slot, event.sint);
  const { flags, queued } = file.slots.slot.slots;
  const kind = queueOf(file);
  const next = cellAt(cpu, file === VP_FILE ? VP.slots.nextQueued : CPU.slots.nextQueued);
  const id = store.create(cpu, kind, store.number(next));
  store.set(next, store.number(next) + 1);
  store.set(cellAt(id, kind.slots.nested), Number(file.nested));
  store.set(cellAt(id, kind.slots.sint), event.sint);
  if (event.slot !== undefined) store.set(cellAt(id, kind.slots.content), store.intern(event.slot));
  store.set(cellAt(cpu, at + queued), store.number(cellAt(cpu, at + queued)) + 1);
  store.set(cellAt(cpu, at + flags), store.number(cellAt(cpu, at + flags)) | PENDING);
}

/** The interrupt of a SINT is an edge at the APIC of its VP; that of a CPU is not modelled. */
function requested(context: Context, vp: ObjectId, vector: number): void {
  if (vector >= FIRST_VECTOR && vector <= LAST_VECTOR) requestInterrupt(context, vp, vector);
}

/** A message that a timer of the own partition has expired is what tells that a one-shot one stopped. */
function timerStopped({ store }: Context, cpu: ObjectId, slot: Uint8Array): void {
  const index = timerOf(slot);
  if (index === undefined) return;
  const config = cellAt(cpu, groupAt(CPU.slots.synic.timer, index) + CPU.slots.synic.timer.slots.config);
  const value = store.low(config);
  if ((value & (TIMER.enabled | TIMER.periodic)) !== TIMER.enabled) return;
  store.setWords(config, value & ~TIMER.enabled, store.high(config));
}

/** The reader of a slot frees it; the flags stay to be read after (Linux 7.2 drivers/hv/mshv_synic.c, mshv_isr). */
function clear(context: Context, cpu: ObjectId, file: SynicFile, sint: number): void {
  const { store } = context;
  const at = groupAt(file.slots.slot, sint);
  store.set(cellAt(cpu, at + file.slots.slot.slots.filled), 0);
  store.set(cellAt(cpu, at + file.slots.slot.slots.type), 0);
}
