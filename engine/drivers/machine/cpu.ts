import { CPU, cellAt } from '../../hypervisor/index.ts';
import type { DriverRun, Outcome } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import { TOP } from '../../state/store.ts';
import { failure } from '../kernel/errno.ts';
import { bringUp, type HotplugState, takeDown } from '../kernel/hotplug.ts';

function onlineCell(context: Context, cpu: number) {
  const id = context.store.find(TOP, CPU, cpu);
  return id === undefined ? undefined : cellAt(id, CPU.slots.online);
}

/** A CPU comes online: each registered state starts on it, in order. */
export function* cpuOnline(
  context: Context,
  states: readonly HotplugState[],
  cpu: number,
): DriverRun<Outcome> {
  const rule = 'Linux.cpuhp.online';
  const online = onlineCell(context, cpu);
  if (online === undefined) return { ret: failure('ENODEV'), rule };
  if (context.store.low(online) === 1) return { ret: 0, rule };
  context.store.set(online, 1);
  const ret = yield* bringUp(context, states, cpu);
  if (ret !== 0) context.store.set(online, 0);
  return { ret, rule };
}

/** A CPU goes offline: each registered state is torn down on it, in reverse. */
export function* cpuOffline(
  context: Context,
  states: readonly HotplugState[],
  cpu: number,
): DriverRun<Outcome> {
  const rule = 'Linux.cpuhp.offline';
  const online = onlineCell(context, cpu);
  if (online === undefined) return { ret: failure('ENODEV'), rule };
  if (context.store.low(online) === 0) return { ret: 0, rule };
  const ret = yield* takeDown(context, states, cpu);
  if (ret === 0) context.store.set(online, 0);
  return { ret, rule };
}
