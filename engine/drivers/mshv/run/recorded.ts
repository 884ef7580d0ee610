import { cellAt, readMessage, UNMODELLED } from '../../../hypervisor/index.ts';
import type { DriverRun, Outcome } from '../../../machine/child.ts';
import type { Context } from '../../../machine/context.ts';
import type { IoctlEvent } from '../../../trace/event.ts';
import { MSHV_VP } from '../../cells/driver.ts';
import { serveMessages } from '../isr.ts';
import { driverVp, vpOfCall } from './vp.ts';

/**
 * A call that ran a VP came back with a message although nothing in the trace shows why: the VP must have stopped.
 * Without a record, or without a return in it, the call waits on.
 */
export function* takeRecorded(context: Context, event: IoctlEvent, rule: string): DriverRun<Outcome> {
  const data = event.out?.data;
  if (event.ret !== 0) return { rule };
  if (data === undefined) return { ret: 0, rule: UNMODELLED };
  context.bind('intercept', 1n, 0n);
  const { type, payload } = readMessage(data);
  const vp = vpOfCall(event);
  const stop = { kind: 'intercept', component: 'hypervisor', type, payload } as const;
  const cpu = event.cpu === undefined ? {} : { cpu: event.cpu };
  yield { ...stop, ...cpu, vp: { partition: vp.partition, vp: vp.index } };
  yield* serveMessages(context);
  const kicked = cellAt(driverVp(context, vp), MSHV_VP.slots.kicked);
  if (context.store.low(kicked) === 1) context.store.set(kicked, 0);
  return { ret: 0, out: { data }, rule };
}
