import { constant, constantNumber, fieldOf, messageTypes, readU32, readU64 } from '../../../abi/index.ts';
import { messageType, readMessage } from '../../../hypervisor/index.ts';
import type { DriverRun } from '../../../machine/child.ts';
import type { Context } from '../../../machine/context.ts';
import type { Actor } from '../../kernel/access.ts';
import { mapBacked } from '../memory/region-calls.ts';
import { addPresent, type Region, regionOfFrame, someGone } from '../memory/regions.ts';
import { partitionOf } from '../objects.ts';

const GPA_INTERCEPT = messageTypes.number('HVMSG_GPA_INTERCEPT');
const ACCESS = fieldOf('hv_x64_memory_intercept_message', 'header.intercept_access_type');
const GPA = fieldOf('hv_x64_memory_intercept_message', 'guest_physical_address');
const WRITE = constantNumber('HV_INTERCEPT_ACCESS_WRITE');
const EXECUTE = constantNumber('HV_INTERCEPT_ACCESS_EXECUTE');
const WRITABLE = constantNumber('HV_MAP_GPA_WRITABLE');
const EXECUTABLE = constantNumber('HV_MAP_GPA_EXECUTABLE');
const PAGE_SHIFT = constant('HV_HYP_PAGE_SHIFT');
const CHUNK = constant('MSHV_MAP_FAULT_IN_PAGES');

function allows({ flags }: Region, access: number): boolean {
  if (access === WRITE) return (flags & WRITABLE) !== 0;
  return access !== EXECUTE || (flags & EXECUTABLE) !== 0;
}

/**
 * The guest has touched memory that it has and that is not mapped yet: the 512 pages around it are mapped, and
 * user space never hears of it. False where it is user space's affair (Linux 7.2 drivers/hv/mshv_root_main.c,
 * mshv_handle_gpa_intercept; mshv_regions.c, mshv_region_handle_gfn_fault).
 */
export function* handleFault(
  context: Context,
  actor: Actor,
  partition: bigint,
  message: Uint8Array,
): DriverRun<boolean> {
  const id = messageType(message) === GPA_INTERCEPT ? partitionOf(context, partition) : undefined;
  if (id === undefined) return false;
  const { payload } = readMessage(message);
  const frame = readU64(payload, GPA) >> PAGE_SHIFT;
  const region = regionOfFrame(context, id, frame);
  if (region === undefined || region.kind !== 'movable' || !allows(region, readU32(payload, ACCESS))) {
    return false;
  }
  const offset = ((frame - region.start) / CHUNK) * CHUNK;
  const left = region.pages - offset;
  const pages = left < CHUNK ? left : CHUNK;
  const start = region.start + offset;
  // The process has to have memory behind all of them.
  if (someGone(context, id, region, { start, pages })) return false;
  const ret = yield* mapBacked({ context, actor, partition, id }, region, start, pages);
  // They are there whatever became of the call.
  const { large } = regionOfFrame(context, id, frame) ?? region;
  addPresent(context, id, region, { start, pages, large });
  return ret === 0;
}
