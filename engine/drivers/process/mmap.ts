import { constantNumber } from '../../abi/index.ts';
import { cellAt, UNMODELLED, VP, vpOfRef } from '../../hypervisor/index.ts';
import type { DriverRun, Outcome } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { Handler } from '../../machine/sides.ts';
import type { FdEvent } from '../../trace/event.ts';
import { failure } from '../kernel/errno.ts';
import type { File } from './files.ts';

const PAGE_BYTES = BigInt(constantNumber('HV_HYP_PAGE_SIZE'));
/** Page offsets of a VP's file (Linux 7.2 uapi linux/mshv.h: MSHV_VP_MMAP_OFFSET_…). */
const PAGES = [VP.slots.page.registers, VP.slots.page.intercept, VP.slots.page.ghcb];
const RULE = 'Linux.fd.mmap';

/** Why a mapping fails; 0 where it does not. Devices and partitions have no pages. */
function refused(context: Context, file: File, offset: bigint): number {
  if (file.kind !== 'vp') return failure('ENODEV');
  const slot = offset % PAGE_BYTES === 0n ? PAGES[Number(offset / PAGE_BYTES)] : undefined;
  if (slot === undefined) return failure('EINVAL');
  const vp = vpOfRef(context, file);
  return vp === undefined || context.store.get(cellAt(vp, slot)) === 0n ? failure('ENODEV') : 0;
}

/** mmap of a VP's pages (Linux 7.2 drivers/hv/mshv_root_main.c, mshv_vp_mmap); the address is the kernel's choice. */
export function mmap(file: File): Handler<FdEvent> {
  return {
    *enter(context, event): DriverRun<Outcome> {
      yield* [];
      const ret = refused(context, file, event.offset ?? 0n);
      if (ret !== 0) return { ret, rule: RULE };
      // Other failures are of memory and of rights, which the machine does not show.
      if (typeof event.ret === 'number' && event.ret < 0) return { ret: event.ret, rule: UNMODELLED };
      const recorded = typeof event.ret === 'number' ? BigInt(event.ret) : undefined;
      return { ret: Number(context.bind('mapping', recorded, event.addr ?? 0n)), rule: RULE };
    },
  };
}
