import type { FdEvent } from '../../../engine/trace/event.ts';
import { type Descriptor, descriptorOf, hasFlag, integerOf, stringOf } from './arguments.ts';
import type { CallContext } from './context.ts';
import { kindOfPath } from './handles.ts';
import type { CallResult } from './line.ts';
import type { Process } from './processes.ts';

/** What a call did to files of ours. */
export type FileCall = readonly FdBody[];
type FdBody = Omit<FdEvent, 'seq' | 't' | 'provenance'>;

/** Numbers of x86-64 and arm64 (Linux include/uapi/asm-generic/fcntl.h, linux/fcntl.h), which -X raw prints. */
const O_CLOEXEC = 0x8_0000n;
const F_DUPFD = 0n;
const F_DUPFD_CLOEXEC = 1030n;

const fd = (what: FdEvent['what'], rest: Omit<FdBody, 'kind' | 'what'>): FdBody => ({
  kind: 'fd',
  what,
  ...rest,
});

/** Whether a call closes descriptors that are marked for it. */
export function closedOnExec(name: string): boolean {
  return name === 'execve' || name === 'execveat';
}

/** Reads a call that opens, copies, closes or maps files; undefined where none of them is ours. */
export function fileCall(
  context: CallContext,
  process: Process,
  name: string,
  args: readonly string[],
  result: CallResult,
): FileCall | undefined {
  const ret = result.ret === undefined ? undefined : BigInt.asIntN(64, result.ret);
  if (ret === undefined) return undefined;
  switch (name) {
    case 'open':
      return opened(context, process, args[0], args[1], ret);
    case 'openat':
    case 'openat2':
      return opened(context, process, args[1], args[2], ret);
    case 'close':
      return closed(context, process, descriptorOf(args[0]), ret);
    case 'dup':
      return copied(context, process, args[0], ret, false);
    case 'dup2':
      return copied(context, process, args[0], ret, false);
    case 'dup3':
      return copied(context, process, args[0], ret, hasFlag(args[2], 'O_CLOEXEC', O_CLOEXEC));
    case 'fcntl':
      return duplicated(context, process, args, ret);
    case 'mmap':
      return mapped(context, process, args, ret);
    case 'munmap':
      return unmapped(process, args, ret);
    case 'execve':
    case 'execveat':
      return executed(process, ret);
    default:
      return undefined;
  }
}

const small = (value: bigint): number => Number(BigInt.asIntN(32, value));

function opened(
  context: CallContext,
  process: Process,
  pathText: string | undefined,
  flags: string | undefined,
  ret: bigint,
): FileCall | undefined {
  const path = stringOf(pathText);
  const kind = kindOfPath(path);
  if (kind === undefined || path === undefined) return undefined;
  if (ret < 0n) return [fd('open', { path, ret: small(ret) })];
  const at = small(ret);
  const handle = context.handles.make(kind, at);
  process.files.set(at, { handle, closeOnExec: hasFlag(flags, 'O_CLOEXEC', O_CLOEXEC) });
  return [fd('open', { fd: at, handle, path, ret: at })];
}

function closed(
  context: CallContext,
  process: Process,
  descriptor: Descriptor | undefined,
  ret: bigint,
): FileCall | undefined {
  if (descriptor === undefined) return undefined;
  const file = context.handles.find(process, descriptor);
  if (file === undefined) return undefined;
  // Linux frees the descriptor whatever close returns, but for EBADF, which a file of ours cannot give.
  process.files.delete(descriptor.fd);
  return [fd('close', { fd: descriptor.fd, handle: file.handle, ret: small(ret) })];
}

function copied(
  context: CallContext,
  process: Process,
  fromText: string | undefined,
  ret: bigint,
  closeOnExec: boolean,
): FileCall | undefined {
  const from = descriptorOf(fromText);
  const file = from === undefined ? undefined : context.handles.find(process, from);
  const at = small(ret);
  // A copy onto a descriptor closes what stood there (dup2, dup3).
  const replaced = ret >= 0n && from?.fd !== at ? process.files.get(at) : undefined;
  const closing = replaced === undefined ? [] : [fd('close', { fd: at, handle: replaced.handle, ret: 0 })];
  if (replaced !== undefined) process.files.delete(at);
  if (file === undefined || from === undefined) return closing.length > 0 ? closing : undefined;
  if (ret < 0n) return [fd('dup', { from: from.fd, handle: file.handle, ret: at })];
  process.files.set(at, { handle: file.handle, closeOnExec });
  return [...closing, fd('dup', { fd: at, from: from.fd, handle: file.handle, ret: at })];
}

function duplicated(
  context: CallContext,
  process: Process,
  [from, command = '']: readonly string[],
  ret: bigint,
): FileCall | undefined {
  const number = integerOf(command);
  const closeOnExec = command === 'F_DUPFD_CLOEXEC' || number === F_DUPFD_CLOEXEC;
  if (!closeOnExec && command !== 'F_DUPFD' && number !== F_DUPFD) return undefined;
  return copied(context, process, from, ret, closeOnExec);
}

function mapped(
  context: CallContext,
  process: Process,
  args: readonly string[],
  ret: bigint,
): FileCall | undefined {
  const descriptor = descriptorOf(args[4]);
  const file = descriptor === undefined ? undefined : context.handles.find(process, descriptor);
  if (file === undefined || descriptor === undefined) return undefined;
  const { handle } = file;
  const size = unsigned(integerOf(args[1]));
  const offset = unsigned(integerOf(args[5]));
  const failed = ret < 0n && ret >= -4095n;
  const where = { fd: descriptor.fd, handle, offset, size };
  if (failed) return [fd('mmap', { ...where, ret: small(ret) })];
  const addr = unsigned(ret);
  process.mappings.set(addr, { handle, offset, size });
  return [fd('mmap', { ...where, addr, ret: 0 })];
}

/** Only what is unmapped as a whole is told: parts of a mapping have no event of their own. */
function unmapped(process: Process, args: readonly string[], ret: bigint): FileCall | undefined {
  const addr = unsigned(integerOf(args[0]));
  const mapping = process.mappings.get(addr);
  if (mapping === undefined || unsigned(integerOf(args[1])) < mapping.size) return undefined;
  if (ret === 0n) process.mappings.delete(addr);
  return [fd('munmap', { ...mapping, addr, ret: small(ret) })];
}

function executed(process: Process, ret: bigint): FileCall | undefined {
  if (ret !== 0n) return undefined;
  // What was shared is not any more (Linux fs/exec.c, unshare_files), and mappings are gone.
  process.files = new Map(process.files);
  process.mappings.clear();
  const closing = [...process.files].filter(([, file]) => file.closeOnExec);
  for (const [at] of closing) process.files.delete(at);
  return closing.length === 0
    ? undefined
    : closing.map(([at, { handle }]) => fd('close', { fd: at, handle, ret: 0 }));
}

function unsigned(value: bigint | undefined): bigint {
  return BigInt.asUintN(64, value ?? 0n);
}
