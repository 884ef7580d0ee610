import type { FdEvent, IoctlEvent, TraceEvent } from '../../engine/trace/event.ts';
import { formatHandle, type Handle } from '../../engine/trace/handle.ts';
import { isProblem, openTrace } from '../../tracer/store/index.ts';

/** What a call came to, as both recorders must have it. */
export interface SeenCall {
  readonly pid: number | undefined;
  readonly tid: number | undefined;
  readonly handle: string;
  readonly what: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Every event of a trace. */
export function eventsOf(trace: string): readonly TraceEvent[] {
  const reader = openTrace(trace);
  if (isProblem(reader)) throw new Error(reader.text);
  try {
    return [...reader.range()];
  } finally {
    reader.close();
  }
}

/** The ioctls and descriptor events of each thread, in order. An ioctl on no file of the drivers counts where it is on none at all. */
export function callsByThread(trace: string): ReadonlyMap<number, readonly SeenCall[]> {
  const threads = new Map<number, SeenCall[]>();
  for (const event of eventsOf(trace)) {
    const seen = event.kind === 'ioctl' ? seenIoctl(event) : event.kind === 'fd' ? seenFd(event) : undefined;
    if (seen === undefined) continue;
    const list = threads.get(seen.tid ?? 0) ?? [];
    list.push(seen);
    threads.set(seen.tid ?? 0, list);
  }
  return threads;
}

const [EBADF, ENOTTY] = [-9, -25];
const hex = (bytes: Uint8Array | undefined) =>
  bytes === undefined ? undefined : Buffer.from(bytes).toString('hex');

function seenIoctl({ handle, fd, op, arg, in: given, out, ret, pid, tid }: IoctlEvent): SeenCall | undefined {
  if (handle.kind === 'foreign' && ret !== EBADF) return undefined;
  const call = { pid, tid, handle: shown(handle), what: `ioctl ${op.toString(16)}` };
  // What a driver does not look at, the emulated one has not read.
  if (ret === EBADF || ret === ENOTTY) return { ...call, fields: { fd, ret } };
  const failed = typeof ret === 'number' && ret < 0;
  const fields = {
    ...{ fd, ret, arg: hex(arg), in: hex(given) },
    // An argument that was not written to is as it was; a call that failed gives back nothing else.
    ...{ after: hex(out?.arg ?? arg), data: failed ? undefined : hex(out?.data) },
    opened: out?.handle === undefined ? undefined : shown(out.handle),
  };
  return { ...call, fields };
}

function seenFd(event: FdEvent): SeenCall | undefined {
  // Who signals an eventfd is none of the driver's calls.
  if (event.what === 'eventfd-signal' || event.what === 'eventfd-read') return undefined;
  const { handle, what, fd, from, path, offset, size, pid, tid, ret } = event;
  return {
    ...{ pid, tid, handle: handle === undefined ? '' : shown(handle), what },
    // Of calls that succeed only opens say what they returned the same way.
    fields: { fd, from, path, offset, size, ret: typeof ret === 'number' && ret < 0 ? ret : undefined },
  };
}

/** Without the partition's id, which a recorder learns late. */
function shown(handle: Handle): string {
  if (handle.kind === 'partition') return 'partition';
  return handle.kind === 'vp' ? `vp ${handle.vp ?? '?'}` : formatHandle(handle);
}

/** What a recorder saw of a thread, beside what the device did: of a buffer that the call fills in part, that part. */
export function beside(seen: readonly SeenCall[], done: readonly SeenCall[]): readonly SeenCall[] {
  return seen.map((call, index) => {
    const [whole, part] = [call.fields.data, done[index]?.fields.data];
    if (typeof whole !== 'string' || typeof part !== 'string') return call;
    return { ...call, fields: { ...call.fields, data: whole.slice(0, part.length) } };
  });
}
