import { findIoctl, type IoctlRow } from '../../../engine/abi/index.ts';
import type { LiveEvent, LiveReturn } from '../../../engine/replay/live.ts';
import { dialectOf } from '../../../engine/trace/dialect.ts';
import type { IoctlEvent, IoctlOut } from '../../../engine/trace/event.ts';
import { ERRNO } from '../../native/numbers.ts';
import { type CallBytes, readCall, writeCall } from '../../process/call-buffers.ts';
import { linkOf } from '../../process/proc.ts';
import { assertsInit } from './asserted-init.ts';
import { install, newNumber, shareDescriptor } from './descriptors.ts';
import type { DeviceFile } from './device-file.ts';
import { eventfdCall, openEventfds } from './eventfds.ts';
import { type Call, type Host, remark, stamp } from './host.ts';
import { memoryCall } from './memory-call.ts';
import { finishMemoryCall, refusedMemory, shareMemory } from './memory-calls.ts';
import { showPageTables } from './page-tables.ts';
import { readRegisterPage, showRegisterPage } from './register-pages.ts';
import { giveSynicPage, showSynicPage } from './synic-pages.ts';

type IoctlStimulus = Extract<LiveEvent, { readonly kind: 'ioctl' }>;

/** Calls that open a file, which they do last. */
const OPENING: ReadonlySet<string> = new Set(['MSHV_CREATE_PARTITION', 'MSHV_CREATE_VP']);

/** The file that a call is on; a descriptor that came from elsewhere (SCM_RIGHTS) is noted now. */
function fileOf(host: Host, call: Call, fd: number): DeviceFile | undefined {
  const { process } = call;
  const known = process.files.get(fd);
  if (known !== undefined) return known;
  const file = host.files.behind(process.pid, fd);
  if (file !== undefined)
    shareDescriptor(host, process, file, fd, fd, { tid: call.tid, note: 'received from another process' });
  return file;
}

function rowOf(host: Host, file: DeviceFile, op: number): IoctlRow | undefined {
  const { kind } = file.handle;
  if (kind !== 'device' && kind !== 'partition' && kind !== 'vp') return undefined;
  return findIoctl(dialectOf(host.live.machine.profile.kernel), kind, op);
}

/** An ioctl of the type of the mshv drivers: on a file of the device it goes to the engine. */
export function ioctl(host: Host, call: Call): void {
  const { process, tid, args } = call;
  const fd = args[0] | 0;
  const op = args[1] % 2 ** 32;
  const file = fileOf(host, call, fd);
  const common = { ...stamp(host, process, tid), kind: 'ioctl', fd, op } as const;
  if (file === undefined) {
    leave(host, call, common);
    return;
  }
  if (file.handle.kind === 'foreign') {
    host.live.feed({ ...common, handle: { kind: 'foreign', fd }, ret: -ERRNO.EBADF });
    host.listener.answer(call.id, -ERRNO.EBADF);
    return;
  }
  if (call.compat) {
    // None of the drivers' files has a compat_ioctl (Linux 7.2 drivers/hv/mshv_root_main.c).
    remark(host, process, tid, `ioctl 0x${op.toString(16)} on descriptor ${fd} by a 32-bit program: ENOTTY`);
    host.listener.answer(call.id, -ERRNO.ENOTTY);
    return;
  }
  const row = rowOf(host, file, op);
  const bytes: CallBytes = row === undefined ? {} : readCall(host.memory, process.pid, row, args[2]);
  const event: IoctlStimulus = { ...common, handle: file.handle, ...bytes };
  const memory = memoryCall(row, bytes.arg);
  const eventfd = eventfdCall(row, bytes.arg);
  const handler = host.live.machine.handler({ ...event, seq: 0 } as IoctlEvent);
  const opened = eventfd === undefined ? undefined : openEventfds(process, eventfd);
  const impossible = memory === undefined ? opened?.refused : refusedMemory(process.pid, memory);
  const isHeard = handler !== undefined && impossible === undefined;
  const shared = isHeard && memory !== undefined ? shareMemory(host, call, memory) : undefined;
  const refused = shared !== undefined && shared.runs === undefined ? -ERRNO.ENOMEM : impossible;
  // Without its argument the driver does not come that far.
  const opens = bytes.arg !== undefined && OPENING.has(row?.name ?? '');
  const number = opens ? (newNumber(host, process) ?? -ERRNO.EMFILE) : undefined;
  const ret = handler === undefined ? -ERRNO.ENOTTY : (refused ?? number);
  const given = ret === undefined ? event : { ...event, ret };
  if (handler === undefined && row !== undefined)
    host.lacks({ component: 'vmm', pid: process.pid, tid }, `${row.name} is not emulated: ENOTTY`);
  const give = (out: IoctlOut) =>
    row === undefined || writeCall(host.memory, process.pid, row, args[2], bytes.arg, out);
  if (given.ret === undefined) {
    showPageTables(host, call, file, row, bytes);
    showSynicPage(host, call, file, row, bytes);
    readRegisterPage(host, call, file, row, bytes);
    const { handle } = file;
    if (assertsInit(row, bytes) && 'partition' in handle) host.guests.stopAll(handle.partition ?? 0n);
  }
  const result = host.feedCall(given, give);
  const own = result.returned.find(({ seq }) => seq === result.seq);
  const finish = (ended: LiveReturn) => {
    showRegisterPage(host, file, row, bytes);
    if (eventfd !== undefined && opened !== undefined) {
      const partition = file.handle.kind === 'partition' ? file.handle.partition : undefined;
      host.eventfds.apply(process.pid, ended.ret === 0 ? partition : undefined, eventfd, opened);
    }
    if (ended.ret === 0)
      giveSynicPage(
        host.live.machine,
        host.now(),
        (partition) => host.guests.memoryOf(partition),
        file,
        row,
        bytes,
      );
    if (memory !== undefined) finishMemoryCall(host, call, file, memory, shared, ended.ret);
    else end(host, call, ended);
  };
  if (own !== undefined) finish(own);
  else if (handler?.wake !== undefined) host.wait(result.seq, call, file.handle, finish, give);
  else finish({ seq: result.seq, ret: -ERRNO.EFAULT });
  host.returned(result.returned.filter((ended) => ended !== own));
  host.letGuestsGoOn(call);
}

/** A call on a file that is not the device's: the kernel's affair. What it says is known only where nothing is open. */
function leave(host: Host, call: Call, common: Omit<IoctlStimulus, 'handle'>): void {
  const { process, tid } = call;
  const fd = call.args[0] | 0;
  if (linkOf(process.pid, fd) === undefined) {
    host.live.feed({ ...common, handle: { kind: 'foreign', fd }, ret: -ERRNO.EBADF });
  } else {
    const op = `0x${(call.args[1] % 2 ** 32).toString(16)}`;
    remark(
      host,
      process,
      tid,
      `ioctl ${op} on descriptor ${fd}, which is not the device's: left to the kernel`,
    );
  }
  host.listener.proceed(call.id);
}

/** The call is over, and its caller has what it came to: it returns. */
function end(host: Host, call: Call, { ret, out }: LiveReturn): void {
  if (out?.handle === undefined || ret < 0) {
    host.listener.answer(call.id, ret);
    return;
  }
  const file = host.files.open(out.handle);
  install(host, call.process, ret, file);
  host.guests.add(out.handle, file.memfd);
  host.deliver(call, file, ret, true);
}
