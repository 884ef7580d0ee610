import { fieldOf, hypercalls, type IoctlRow, readU32 } from '../../../engine/abi/index.ts';
import type { Context } from '../../../engine/machine/context.ts';
import type { CallBytes } from '../../process/call-buffers.ts';
import type { Stamped } from './asks.ts';
import type { DeviceFile } from './device-file.ts';
import { type Guest, vpOf } from './guest.ts';
import type { GuestHost } from './guest-host.ts';
import { type Call, type Host, type Stamp, stamp } from './host.ts';

const CODE = fieldOf('mshv_root_hvcall', 'code');
const SET_REGISTERS = hypercalls.number('SET_VP_REGISTERS');
const REGISTER_CALLS: ReadonlySet<number> = new Set([SET_REGISTERS, hypercalls.number('GET_VP_REGISTERS')]);
const VP_INDEX = fieldOf('hv_input_get_vp_registers', 'vp_index');
const HEADER_BYTES = 16;
const NOBODY = { component: 'vmm', provenance: 'emulated' } as const;

/** What the program has put into the register page of a VP, as an event, so that the engine takes it from the trace; `by` where it is known. */
export function tellWritten(
  host: Pick<GuestHost, 'live' | 'now'>,
  { registerPage, partition, index }: Guest,
  by: Stamp | Stamped = {},
): void {
  const bytes = registerPage.changes();
  if (bytes === undefined) return;
  const written = { what: 'write', page: 'register', vp: { partition, vp: index }, bytes } as const;
  host.live.feed({ t: host.now(), ...NOBODY, ...by, kind: 'page', ...written });
}

/** Where the root schedules, the driver puts interrupts on the register pages of VPs. */
export function showVectors(context: Context, guests: readonly Guest[]): void {
  if (context.profile.scheduler !== 'root') return;
  for (const guest of guests) {
    const vp = vpOf(context, guest);
    if (vp !== undefined) guest.registerPage.showVectors(context, vp);
  }
}

/** The VP whose registers a call of the program is about: the file's, or the one that a hypercall names. */
function subject(
  host: Host,
  { handle }: DeviceFile,
  row: IoctlRow | undefined,
  { arg, in: input }: CallBytes,
): Guest | undefined {
  if (row?.name !== 'MSHV_ROOT_HVCALL') return host.guests.of(handle);
  if (arg === undefined || input === undefined || input.length < HEADER_BYTES) return undefined;
  if (handle.kind !== 'vp' && handle.kind !== 'partition') return undefined;
  if (!REGISTER_CALLS.has(readU32(arg, CODE))) return undefined;
  return host.guests.of({ kind: 'vp', partition: handle.partition, vp: readU32(input, VP_INDEX) });
}

/** Before a call of the program: what it has put into the register page of its VP before. */
export function readRegisterPage(
  host: Host,
  { process, tid }: Call,
  file: DeviceFile,
  row: IoctlRow | undefined,
  bytes: CallBytes,
): void {
  const guest = subject(host, file, row, bytes);
  if (guest !== undefined && !guest.running) tellWritten(host, guest, stamp(host, process, tid));
}

/** The program has mapped the register page of a VP: it shows its registers from now on. */
export function mapRegisterPage(host: Host, { handle }: DeviceFile): void {
  const guest = host.guests.of(handle);
  if (guest === undefined || guest.registerPage.isMapped) return;
  guest.registerPage.isMapped = true;
  show(host, guest, 'all');
}

/** After a call, before its caller goes on: the registers of its VP as they are now. */
export function showRegisterPage(
  host: Host,
  file: DeviceFile,
  row: IoctlRow | undefined,
  bytes: CallBytes,
): void {
  const runs = row?.name === 'MSHV_RUN_VP';
  if (!runs && !setsRegisters(row, bytes)) return;
  const guest = subject(host, file, row, bytes);
  if (guest !== undefined) show(host, guest, runs ? 'all' : 'changed');
}

function setsRegisters(row: IoctlRow | undefined, { arg }: CallBytes): boolean {
  if (row?.name === 'MSHV_SET_VP_REGISTERS') return true;
  return row?.name === 'MSHV_ROOT_HVCALL' && arg !== undefined && readU32(arg, CODE) === SET_REGISTERS;
}

function show({ live }: Host, guest: Guest, what: 'all' | 'changed'): void {
  const vp = vpOf(live.machine, guest);
  if (vp !== undefined) guest.registerPage.show(live.machine, vp, what);
}
