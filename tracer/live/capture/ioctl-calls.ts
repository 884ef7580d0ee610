import {
  allIoctls,
  findIoctl,
  IOCTL_TYPE,
  type IoctlRow,
  ioctlNamed,
  ioctlParts,
  MESSAGE_HEADER_BYTES,
} from '../../../engine/abi/index.ts';
import type { IoctlOut } from '../../../engine/trace/event.ts';
import type { Handle } from '../../../engine/trace/handle.ts';
import { type CallBytes, readAnswer, readCall } from '../../process/call-buffers.ts';
import { linkOf } from '../../process/proc.ts';
import { shared } from './descriptor-calls.ts';
import { type Call, type Finish, type Host, plain, stamp } from './host.ts';
import { type OpenFile, sameFile, type TracedProcess } from './open-files.ts';

/** What tells the interface, by request number (a call of that number means this on the device or a partition). */
const TELLING: ReadonlyMap<number | undefined, readonly ['rfc2020' | 'upstream' | 'vtl', string]> = new Map([
  [ioctlNamed('rfc2020', 'device', 'REQUEST_VERSION')?.number, ['rfc2020', 'MSHV_REQUEST_VERSION']],
  [ioctlNamed('upstream', 'device', 'ROOT_HVCALL')?.number, ['upstream', 'MSHV_ROOT_HVCALL']],
  [
    ioctlNamed('upstream', 'partition', 'INITIALIZE_PARTITION')?.number,
    ['upstream', 'MSHV_INITIALIZE_PARTITION'],
  ],
  [ioctlNamed('vtl', 'device', 'CREATE_VTL')?.number, ['vtl', 'MSHV_CREATE_VTL']],
]);
/** Message types of x86 intercepts begin here; their payload begins with the index of the VP. */
const FIRST_INTERCEPT = 0x8000_0000;
/** Offset of the sender in a message. */
const SENDER = 8;

/** The file behind a descriptor; one that came from elsewhere (SCM_RIGHTS), or was there before us, is noted now. */
export function adopt(host: Host, process: TracedProcess, fd: number, tid: number): OpenFile | undefined {
  const known = process.files.get(fd);
  if (known !== undefined) return known;
  if (process.others.has(fd)) return undefined;
  const link = linkOf(process.pid, fd);
  if (link === undefined) return undefined;
  const same = sameFile(host.processes.values(), process.pid, fd);
  const file = same?.file ?? host.numbers.named(link);
  if (file === undefined) {
    process.others.add(fd);
    return undefined;
  }
  const note =
    same === undefined || same.process === process ? 'was open already' : 'received from another process';
  shared(host, process, file, [fd, fd], tid, note);
  return file;
}

/** Of files that are not the drivers', the number alone has to do. */
function rowOf({ dialect }: Host, file: OpenFile | undefined, op: number): IoctlRow | undefined {
  const kind = file?.handle.kind;
  if (kind === undefined) return allIoctls().find((row) => row.dialect === dialect && row.number === op);
  return kind === 'foreign' || kind === 'eventfd' ? undefined : findIoctl(dialect, kind, op);
}

/** Without a row: as many bytes as the number says. */
function readUnknown({ memory }: Host, { tid, args }: Call, op: number): CallBytes {
  const { direction, size } = ioctlParts(op);
  if (!direction.includes('W') || size === 0) return {};
  const arg = memory.read(tid, args[2], size);
  return arg === undefined ? {} : { arg };
}

function readUnknownAnswer({ memory }: Host, { tid, args }: Call, op: number): IoctlOut | undefined {
  const { direction, size } = ioctlParts(op);
  if (!direction.includes('R') || size === 0) return undefined;
  const arg = memory.read(tid, args[2], size);
  return arg === undefined ? undefined : { arg };
}

/** What a call opens, by what it was made on. */
function newFile(
  host: Host,
  row: IoctlRow,
  on: OpenFile | undefined,
  arg: Uint8Array | undefined,
): OpenFile | undefined {
  if (row.opens === 'partition') return { handle: { kind: 'partition', partition: undefined } };
  if (row.opens === 'vtl') return host.numbers.next('vtl');
  if (row.opens !== 'vp') return undefined;
  const made = on?.handle.kind === 'partition' ? on : undefined;
  const partition = on?.handle.kind === 'partition' ? on.handle.partition : undefined;
  const vp = arg === undefined ? undefined : new DataView(arg.buffer, arg.byteOffset).getUint32(0, true);
  return { handle: { kind: 'vp', partition, vp }, ...(made === undefined ? {} : { partition: made }) };
}

/**
 * The message of an intercept tells which VP it is of, and of which partition (TLFS, HV_MESSAGE_HEADER and
 * HV_X64_INTERCEPT_MESSAGE_HEADER): no call that opens them does.
 */
function learnIds(file: OpenFile, row: IoctlRow, { data }: IoctlOut): void {
  const { handle } = file;
  if (handle.kind !== 'vp' || row.out !== 'message' || data === undefined) return;
  if (handle.partition !== undefined && handle.vp !== undefined) return;
  const view = new DataView(data.buffer, data.byteOffset);
  if (view.getUint32(0, true) < FIRST_INTERCEPT) return;
  const sender = view.getBigUint64(SENDER, true);
  const partition = sender === 0n ? handle.partition : sender;
  file.handle = { kind: 'vp', partition, vp: view.getUint32(MESSAGE_HEADER_BYTES, true) };
  if (file.partition !== undefined) file.partition.handle = { kind: 'partition', partition };
}

/** An ioctl of the type of the mshv drivers, whatever it is made on; undefined for other types. */
export function ioctl(host: Host, call: Call): Finish | undefined {
  const { process, tid, args } = call;
  const op = args[1] % 2 ** 32;
  if (((op >>> 8) & 0xff) !== IOCTL_TYPE) return undefined;
  const fd = args[0] | 0;
  const file = adopt(host, process, fd, tid);
  const telling = file === undefined ? undefined : TELLING.get(op);
  if (telling !== undefined) host.learn(...telling);
  const row = rowOf(host, file, op);
  const given = row === undefined ? readUnknown(host, call, op) : readCall(host.memory, tid, row, args[2]);
  const handle: Handle = file?.handle ?? { kind: 'foreign', fd: fd >>> 0 };
  const event = { kind: 'ioctl', ...stamp(host, process, tid), handle: plain(handle), fd, op };
  const id = host.begin({ ...event, arg: given.arg, in: given.in });
  return (ret) => {
    const tEnd = host.now();
    const out =
      row === undefined
        ? readUnknownAnswer(host, call, op)
        : readAnswer(host.memory, tid, row, args[2], given.arg, ret);
    const opened = row === undefined || ret < 0 ? undefined : newFile(host, row, file, given.arg);
    if (opened !== undefined) process.files.set(ret, opened);
    const made = opened === undefined ? out : { ...out, handle: opened.handle };
    host.end(id, { ret, tEnd, ...(made === undefined ? {} : { out: plain(made) }) });
    if (file !== undefined && row !== undefined && out !== undefined) learnIds(file, row, out);
  };
}
