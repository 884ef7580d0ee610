import type { Emitted } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import { type ObjectId, TOP } from '../../state/store.ts';
import type { VpRef } from '../../trace/handle.ts';
import { CPU, QUEUED, SINT_COUNT } from '../cells/cpu.ts';
import { cellAt, groupAt } from '../cells/place.ts';
import { VP_QUEUED } from '../cells/vp.ts';
import { type SynicFile, VP_FILE } from './file.ts';

const ENABLE = 1;
const MASKED = 1 << 16;
const POLLING = 1 << 18;
const VECTOR_MASK = 0xff;

/** Whether messages can reach their slots: the SynIC and its message page are on. */
export function canDeliver(context: Context, cpu: ObjectId, file: SynicFile): boolean {
  const { store } = context;
  const { scontrol, simp } = file.slots;
  return (store.low(cellAt(cpu, scontrol)) & store.low(cellAt(cpu, simp)) & ENABLE) !== 0;
}

/**
 * What becomes of a message to a SINT (TLFS, SynIC message queues and SIM page): it is lost while the SynIC or
 * the page is off, waits while the slot is filled, else it is written, and an interrupt follows unless the SINT
 * is masked or polled. The events change the state when they take place, see note.ts.
 */
export function deliver(
  context: Context,
  cpu: ObjectId,
  file: SynicFile,
  sint: number,
  slot: Uint8Array,
): Emitted[] {
  const { store } = context;
  const to = { kind: 'message', component: 'hypervisor', ...ownerOf(context, cpu), sint } as const;
  if (!canDeliver(context, cpu, file)) return [{ ...to, what: 'drop', reason: 'synic-off', slot }];
  const at = groupAt(file.slots.slot, sint);
  if (store.low(cellAt(cpu, at + file.slots.slot.slots.filled)) !== 0) return [{ ...to, what: 'busy', slot }];
  const first =
    store.low(cellAt(cpu, at + file.slots.slot.slots.queued)) === 0
      ? undefined
      : oldestQueued(context, cpu, file, sint);
  if (first === undefined) return fillSlot(context, cpu, file, sint, slot);
  // The slot is free and nobody has told: a new message makes the hypervisor look, and is itself the last in the row.
  return [
    { ...to, what: 'busy', slot },
    ...fillSlot(context, cpu, file, sint, contentOf(context, file, first)),
  ];
}

/** The slot is written, and an interrupt follows. */
function fillSlot(
  context: Context,
  cpu: ObjectId,
  file: SynicFile,
  sint: number,
  slot: Uint8Array,
): Emitted[] {
  const to = { kind: 'message', component: 'hypervisor', ...ownerOf(context, cpu), sint } as const;
  return [{ ...to, what: 'deliver', slot }, ...interrupt(context, cpu, file, sint)];
}

function contentOf({ store }: Context, file: SynicFile, queued: ObjectId): Uint8Array {
  return store.blob(store.number(cellAt(queued, queueOf(file).slots.content)));
}

/** The interrupt of a SINT, unless it is masked or polled. */
export function interrupt(context: Context, cpu: ObjectId, file: SynicFile, sint: number): Emitted[] {
  const value = context.store.low(cellAt(cpu, file.slots.sint.first + sint));
  if ((value & (MASKED | POLLING)) !== 0) return [];
  const to = { kind: 'message', component: 'hypervisor', ...ownerOf(context, cpu), sint } as const;
  return [{ ...to, what: 'interrupt', vector: value & VECTOR_MASK }];
}

/** Messages that wait and whose slot is free: an EOM, or an enabled message page, lets them in (TLFS, EOM). */
export function rescan(context: Context, cpu: ObjectId, file: SynicFile): Emitted[] {
  const { store } = context;
  if (!canDeliver(context, cpu, file)) return [];
  const emitted: Emitted[] = [];
  for (let sint = 0; sint < SINT_COUNT; sint++) {
    const at = groupAt(file.slots.slot, sint);
    const { filled, queued } = file.slots.slot.slots;
    if (store.low(cellAt(cpu, at + filled)) !== 0 || store.low(cellAt(cpu, at + queued)) === 0) continue;
    const first = oldestQueued(context, cpu, file, sint);
    if (first === undefined) continue;
    emitted.push(...fillSlot(context, cpu, file, sint, contentOf(context, file, first)));
  }
  return emitted;
}

/** The kind of a message that waits, by whose SynIC it is for. */
export function queueOf(file: SynicFile): typeof QUEUED {
  return file === VP_FILE ? VP_QUEUED : QUEUED;
}

/** The message that has waited longest for a SINT. */
export function oldestQueued(
  context: Context,
  cpu: ObjectId,
  file: SynicFile,
  sint: number,
): ObjectId | undefined {
  const { store } = context;
  const kind = queueOf(file);
  return store
    .children(cpu, kind)
    .find(
      (id) =>
        store.low(cellAt(id, kind.slots.sint)) === sint &&
        store.low(cellAt(id, kind.slots.nested)) === Number(file.nested),
    );
}

/** Whose SynIC it is, as events name it: a CPU, or a VP of a child partition. */
export function ownerOf(
  { store }: Context,
  owner: ObjectId,
): { readonly cpu: number } | { readonly vp: VpRef } {
  const number = Number(store.key(owner));
  const parent = store.parent(owner);
  return parent === TOP ? { cpu: number } : { vp: { partition: BigInt(store.key(parent)), vp: number } };
}

/** The CPU object of a number; undefined for a CPU that the profile does not have. */
export function cpuOf(context: Context, cpu: number | undefined): ObjectId | undefined {
  return cpu === undefined ? undefined : context.store.find(TOP, CPU, cpu);
}
