import { constantNumber } from '../../abi/index.ts';
import { cellAt, UNMODELLED, VP, vpOfRef } from '../../hypervisor/index.ts';
import type { DriverRun, Outcome } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { Handler } from '../../machine/sides.ts';
import type { FdEvent } from '../../trace/event.ts';
import { failure } from '../kernel/errno.ts';
import { mapStatePage, REGISTERS_PAGE } from '../mshv/pages.ts';
import type { File } from './files.ts';

const PAGE_BYTES = BigInt(constantNumber('HV_HYP_PAGE_SIZE'));
/** Page offsets of a VP's file (Linux 7.2 uapi linux/mshv.h: MSHV_VP_MMAP_OFFSET_…). */
const PAGES = [VP.slots.page.registers, VP.slots.page.intercept, VP.slots.page.ghcb];
const RULE = 'Linux.fd.mmap';

/** Why a mapping fails; 0 where it does not. Devices and partitions have no pages. */
function refused(context: Context, file: File, offset: bigint): number {
  // Every offset can be mapped: that there is no page shows when it is touched (mshv_vtl_mmap, mshv_vtl_low_mmap).
  if (file.kind === 'vtl' || file.kind === 'vtl-low')
    return offset % PAGE_BYTES === 0n ? 0 : failure('EINVAL');
  if (file.kind !== 'vp') return failure('ENODEV');
  const slot = offset % PAGE_BYTES === 0n ? PAGES[Number(offset / PAGE_BYTES)] : undefined;
  if (slot === undefined) return failure('EINVAL');
  const vp = vpOfRef(context, file);
  return vp === undefined || context.store.get(cellAt(vp, slot)) === 0n ? failure('ENODEV') : 0;
}

/** The RFC of 2020 has the register page alone, and maps it when it is first asked for. */
function* mapped(context: Context, event: FdEvent, file: File): DriverRun<number> {
  const offset = event.offset ?? 0n;
  if (context.profile.kernel !== 'rfc2020' || file.kind !== 'vp') return refused(context, file, offset);
  if (offset !== 0n) return failure('EINVAL');
  if (refused(context, file, offset) === 0) return 0;
  const actor = { component: 'mshv', cpu: event.cpu ?? 0 };
  const vp = { partition: file.partition, index: file.vp };
  return yield* mapStatePage(context, actor, vp, REGISTERS_PAGE);
}

/** mmap of a VP's pages (Linux 7.2 drivers/hv/mshv_root_main.c, mshv_vp_mmap); the address is the kernel's choice. */
export function mmap(file: File): Handler<FdEvent> {
  return {
    *enter(context, event): DriverRun<Outcome> {
      const ret = yield* mapped(context, event, file);
      if (ret !== 0) return { ret, rule: RULE };
      // Other failures are of memory and of rights, which the machine does not show.
      if (typeof event.ret === 'number' && event.ret < 0) return { ret: event.ret, rule: UNMODELLED };
      const recorded = typeof event.ret === 'number' ? BigInt(event.ret) : undefined;
      return { ret: Number(context.bind('mapping', recorded, event.addr ?? 0n)), rule: RULE };
    },
  };
}
