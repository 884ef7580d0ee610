import * as driver from '../drivers/cells/driver.ts';
import * as eventfd from '../drivers/cells/eventfd.ts';
import * as system from '../drivers/cells/system.ts';
import * as vmbus from '../drivers/cells/vmbus.ts';
import * as vtl from '../drivers/cells/vtl.ts';
import * as cpu from '../hypervisor/cells/cpu.ts';
import * as eventFlags from '../hypervisor/cells/event-flags.ts';
import * as gpa from '../hypervisor/cells/gpa.ts';
import * as host from '../hypervisor/cells/host.ts';
import * as intercept from '../hypervisor/cells/intercept.ts';
import * as partition from '../hypervisor/cells/partition.ts';
import * as port from '../hypervisor/cells/port.ts';
import * as vp from '../hypervisor/cells/vp.ts';
import type { ObjectKind } from '../state/schema.ts';

const DECLARED: readonly object[] = [
  ...[driver, eventfd, system, vmbus, vtl],
  ...[cpu, eventFlags, gpa, host, intercept, partition, port, vp],
];

/** Every kind of object that a machine can have: what the folders `cells/` of both sides declare. */
export const ALL_KINDS: readonly ObjectKind[] = [
  ...new Set(DECLARED.flatMap((declared) => Object.values(declared)).filter(isKind)),
];

function isKind(value: unknown): value is ObjectKind {
  return typeof value === 'object' && value !== null && 'resets' in value && 'slots' in value;
}
