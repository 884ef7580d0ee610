import { constantNumber, fieldOf, type IoctlRow, readU32 } from '../../../engine/abi/index.ts';
import { pageState, vpOfRef } from '../../../engine/hypervisor/index.ts';
import type { Machine } from '../../../engine/machine/machine.ts';
import type { TimeNs } from '../../../engine/trace/position.ts';
import type { CallBytes } from '../../process/call-buffers.ts';
import type { DeviceFile } from './device-file.ts';
import { type Call, type Host, stamp } from './host.ts';

const PAGE_BYTES = constantNumber('HV_HYP_PAGE_SIZE');
const TYPE = fieldOf('mshv_get_set_vp_state', 'type');
/** The pages of a VP's SynIC by the type of an ioctl: the register that places them, their event, the hypervisor's type. */
const PAGES = [
  { type: constantNumber('MSHV_VP_STATE_SIMP'), overlay: 'SIMP', page: 'simp', state: 0x8000_0002 },
  { type: constantNumber('MSHV_VP_STATE_SIEFP'), overlay: 'SIEFP', page: 'siefp', state: 0x8000_0003 },
] as const;

/** Which page of which VP a call reads or gives as a whole. */
function subject(
  { handle }: Pick<DeviceFile, 'handle'>,
  row: IoctlRow | undefined,
  name: string,
  { arg }: CallBytes,
) {
  if (row?.name !== name || row.dialect !== 'upstream' || arg === undefined) return undefined;
  if (handle.kind !== 'vp' || handle.partition === undefined || handle.vp === undefined) return undefined;
  const page = PAGES.find(({ type }) => type === arg[TYPE.offset]);
  if (page === undefined || readU32(arg, fieldOf('mshv_get_set_vp_state', 'buf_sz')) === 0) return undefined;
  return { ...page, ref: { partition: handle.partition, vp: handle.vp } };
}

/**
 * Before a call that reads the message or event flag page of a VP: what its guest has made of it, as an event, so that the engine
 * tells it from the trace, here and in every replay.
 */
export function showSynicPage(
  host: Host,
  { process, tid }: Call,
  file: DeviceFile,
  row: IoctlRow | undefined,
  bytes: CallBytes,
): void {
  const found = subject(file, row, 'MSHV_GET_VP_STATE', bytes);
  if (found === undefined) return;
  const { ref, overlay, page, state } = found;
  const { machine } = host.live;
  const vp = vpOfRef(machine, ref);
  const memory = host.guests.memoryOf(ref.partition);
  memory.refresh(machine);
  const now = vp === undefined ? undefined : memory.readOverlay(ref.vp, overlay, 0, PAGE_BYTES);
  if (vp === undefined || now === undefined) return;
  const known = pageState(machine, vp, state, host.now());
  if (known?.every((byte, at) => byte === now[at]) !== false) return;
  const shown = { what: 'snapshot', page, vp: ref, bytes: [{ offset: 0, bytes: now }] } as const;
  host.live.feed({ ...stamp(host, process, tid), kind: 'page', ...shown });
}

/** After a call that gives such a page: the guest sees it. */
export function giveSynicPage(
  machine: Machine,
  t: TimeNs,
  memoryOf: (partition: bigint) => {
    prepareOverlay(vp: number, name: 'SIMP' | 'SIEFP', bytes: Uint8Array): void;
  },
  file: Pick<DeviceFile, 'handle'>,
  row: IoctlRow | undefined,
  bytes: CallBytes,
): void {
  const found = subject(file, row, 'MSHV_SET_VP_STATE', bytes);
  const vp = found === undefined ? undefined : vpOfRef(machine, found.ref);
  if (found === undefined || vp === undefined) return;
  const page = pageState(machine, vp, found.state, t);
  if (page !== undefined) memoryOf(found.ref.partition).prepareOverlay(found.ref.vp, found.overlay, page);
}
