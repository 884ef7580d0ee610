import type { Context } from '../../machine/context.ts';
import { keyOf, type ObjectId, TOP } from '../../state/store.ts';
import type { VpRef } from '../../trace/handle.ts';
import { PARTITION } from '../cells/partition.ts';
import { VP } from '../cells/vp.ts';

/** The VP of a child partition that an event names; undefined where it does not exist, or its ids are not known. */
export function vpOfRef({ store }: Context, { partition, vp }: VpRef): ObjectId | undefined {
  if (partition === undefined || vp === undefined) return undefined;
  const id = store.find(TOP, PARTITION, keyOf(partition));
  return id === undefined ? undefined : store.find(id, VP, vp);
}
