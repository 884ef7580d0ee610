import { fieldOf, readU32 } from '../../abi/index.ts';
import { cellAt, knownOr } from '../../hypervisor/index.ts';
import type { Outcome } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { IoctlEvent } from '../../trace/event.ts';
import { CAPABILITIES, VTL } from '../cells/vtl.ts';
import type { Actor } from '../kernel/access.ts';
import { failure } from '../kernel/errno.ts';
import type { IoctlRow } from '../mshv/ioctl-row.ts';
import { installFd, newFd } from '../process/files.ts';
import { nextVtlFile, openVtlFile, vtlOf } from './files.ts';

const RULE = 'Linux.vtl.device';
const EXTENSION = fieldOf('u32', 'value');
/** Extensions by number (Linux 7.2 uapi linux/mshv.h, MSHV_CAP_…): the interface itself, then what the hypervisor tells. */
const CORE_API_STABLE = 0;
const TOLD = new Map([
  [1, VTL.slots.registerPage],
  [2, VTL.slots.returnAction],
  [3, VTL.slots.dr6Shared],
]);

/** Whether the driver has been told of a capability; undefined where the trace has not shown it yet. */
export function capabilityOf(context: Context, slot: number): boolean | undefined {
  const known = CAPABILITIES[Number(knownOr(context, cellAt(vtlOf(context), slot), 0n))];
  return known === undefined || known === 'unknown' ? undefined : known === 'present';
}

/** The hypervisor told it when the driver was loaded; where the trace does not show that, the first answer says it. */
function checkExtension(context: Context, _actor: Actor, event: IoctlEvent, arg: Uint8Array): Outcome {
  const extension = readU32(arg, EXTENSION);
  if (extension === CORE_API_STABLE) return { ret: 0, rule: RULE };
  const slot = TOLD.get(extension);
  if (slot === undefined) return { ret: failure('EOPNOTSUPP'), rule: RULE };
  const known = capabilityOf(context, slot);
  if (known !== undefined) return { ret: known ? 1 : 0, rule: RULE };
  const recorded = event.ret === 0 || event.ret === 1 ? BigInt(event.ret) : undefined;
  const ret = Number(context.bind('told', recorded, 0n));
  context.store.set(cellAt(vtlOf(context), slot), CAPABILITIES.indexOf(ret === 1 ? 'present' : 'absent'));
  return { ret, rule: RULE };
}

function createVtl(context: Context, _actor: Actor, event: IoctlEvent): Outcome {
  const handle = { kind: 'vtl', open: nextVtlFile(context, 'vtl') } as const;
  return { ret: newFd(context, event), out: { handle }, rule: RULE };
}

function installVtl(context: Context, { pid, ret, out }: IoctlEvent): void {
  if (typeof ret !== 'number' || ret < 0) return;
  const counted = openVtlFile(context, 'vtl');
  const open = out?.handle?.kind === 'vtl' ? out.handle.open : counted;
  installFd(context, pid, ret, { kind: 'vtl', open });
}

/** /dev/mshv of a kernel in VTL 2 (Linux 7.2 drivers/hv/mshv_vtl_main.c, mshv_dev_ioctl). */
export const DEVICE_IOCTLS: readonly IoctlRow[] = [
  { fd: 'device', name: 'MSHV_CHECK_EXTENSION', argBytes: 4, enter: checkExtension },
  // The argument is never looked at.
  { fd: 'device', name: 'MSHV_CREATE_VTL', argBytes: 0, enter: createVtl, leave: installVtl },
];
