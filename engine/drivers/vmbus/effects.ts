import type { Context } from '../../machine/context.ts';
import type { ObjectKind } from '../../state/schema.ts';
import type { ObjectId } from '../../state/store.ts';
import { VMBUS } from '../cells/driver.ts';
import { driverOf } from '../kernel/objects.ts';

/** What a channel message does to what VMBus knows; `connection`: the one that it was posted on. */
export type Effect = (context: Context, payload: Uint8Array, connection: number) => void;

/** Effects by the message's name without CHANNELMSG_. */
export type Effects = Readonly<Record<string, Effect>>;

/** An object of VMBus by its key, if it is known. */
export function known(context: Context, kind: ObjectKind, key: number): ObjectId | undefined {
  return context.store.find(driverOf(context, VMBUS), kind, key);
}

/** The same; one of which the trace has not shown the beginning has cells that are not known. */
export function seen(context: Context, kind: ObjectKind, key: number): ObjectId {
  return known(context, kind, key) ?? context.store.createUnknown(driverOf(context, VMBUS), kind, key);
}

/** A new one in the place of any that had its key. */
export function made(context: Context, kind: ObjectKind, key: number): ObjectId {
  const old = known(context, kind, key);
  if (old !== undefined) context.store.destroy(old);
  return context.store.create(driverOf(context, VMBUS), kind, key);
}
