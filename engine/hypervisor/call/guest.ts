import type { HypercallAnswer, HypercallRequest } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { HypercallEvent } from '../../trace/event.ts';
import { vpOfRef } from '../vp/find.ts';
import { failed, unmodelledCall } from './call.ts';
import { STATUS } from './status.ts';

/** Calls over connections. A guest has those that its parent made, and of ports nothing is modelled. */
const OVER_CONNECTIONS: ReadonlySet<string> = new Set(['POST_MESSAGE', 'SIGNAL_EVENT']);

/**
 * A hypercall of a guest whose control word is legal: what steers partitions is not for it (TLFS 2013, partition
 * privileges). `steers`: the hypervisor models the call, as one of a parent.
 */
export function answerGuestCall(
  context: Context,
  event: HypercallRequest | HypercallEvent,
  name: string,
  steers: boolean,
): HypercallAnswer {
  if (event.vp === undefined || vpOfRef(context, event.vp) === undefined) return unmodelledCall(event);
  if (OVER_CONNECTIONS.has(name)) return failed(STATUS.INVALID_CONNECTION_ID, 'TLFS.connection.unknown');
  return steers ? failed(STATUS.ACCESS_DENIED, 'TLFS2013.privilege.guest') : unmodelledCall(event);
}
